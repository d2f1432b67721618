/* grow: what was added stays, whether memory is there for one more or not. */
#include "base/grow.h"

#include <stdbool.h>
#include <stdlib.h>

#include "check.h"

static bool memory_is_out;

void *__real_reallocarray(void *elements, size_t count, size_t of);
void *__wrap_reallocarray(void *elements, size_t count, size_t of);

void *__wrap_reallocarray(void *elements, size_t count, size_t of)
{
	return memory_is_out ? NULL : __real_reallocarray(elements, count, of);
}

static void elements_stay_while_it_grows(void **state)
{
	size_t size = 0, count = 0;
	int *numbers = NULL;

	(void)state;
	for (int i = 0; i < 1000; i++) {
		numbers = grow_by_one(numbers, count, &size, sizeof(*numbers));
		assert_non_null(numbers);
		assert_true(count < size);
		numbers[count++] = i;
	}
	for (int i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], i);
	assert_true(size < 2 * count);
	free(numbers);
}

static void nothing_moves_where_there_is_room(void **state)
{
	size_t size = 0;
	int *numbers = grow_by_one(NULL, 0, &size, sizeof(*numbers));

	(void)state;
	assert_non_null(numbers);
	assert_true(size > 1);
	assert_ptr_equal(grow_by_one(numbers, 1, &size, sizeof(*numbers)), numbers);
	free(numbers);
}

static void without_memory_all_stays_as_it_is(void **state)
{
	size_t size = 1;
	char *element = malloc(1);

	(void)state;
	memory_is_out = true;
	assert_null(grow_by_one(element, 1, &size, 1));
	memory_is_out = false;
	assert_int_equal(size, 1);
	free(element);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(elements_stay_while_it_grows),
		cmocka_unit_test(nothing_moves_where_there_is_room),
		cmocka_unit_test(without_memory_all_stays_as_it_is),
	};

	return cmocka_run_group_tests_name("base/grow", tests, NULL, NULL);
}
