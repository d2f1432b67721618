/* counting: which lines have run (make coverage), also of who may write no files any more. */
#ifndef TESTS_COUNTING_H
#define TESTS_COUNTING_H

/* Writes down what the process has counted, for one that ends by _exit(2). Does nothing in a build
 * that counts nothing. */
void counting_end(void);

#endif
