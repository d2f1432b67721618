/* standard_files: standard input, output and error of a process. No state, no lock. */
#ifndef BASE_STANDARD_FILES_H
#define BASE_STANDARD_FILES_H

/* Opens those that whoever started us has closed as /dev/null, lest what is opened first becomes
 * the standard error that the log goes to. -1 with errno. */
int standard_files_fill(void) __attribute__((warn_unused_result));

#endif
