/*
 * A library to be loaded before all others (LD_PRELOAD) that has allocations fail: the n-th one, or
 * all from the n-th on, of all threads together. It counts them, and those that nobody has freed.
 * The numbers are in a file that both the process and who tries it map, MEMORY_FILE; it is mapped
 * before main() begins, so that a process that confines itself later has it still.
 *
 * Where the failing one was asked for is noted by its return addresses, as offsets in the program.
 * A library that ends the process for want of memory (libseccomp, while it makes a filter) can be
 * spared: MEMORY_SPARES is a part of its file's name.
 */
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* allocations.py knows this layout. */
struct tally {
	_Atomic(int64_t) fail_at; /* the number of the first that fails, from 1; 0: none does */
	_Atomic(int64_t) fail_count; /* how many do, from that one on */
	_Atomic(int64_t) asked; /* allocations since `asked` was set to 0 last */
	_Atomic(int64_t) failed; /* likewise */
	_Atomic(int64_t) alive; /* that nobody has freed yet; since the beginning */
	_Atomic(int64_t) frames; /* how many of `where` are valid */
	_Atomic(uint64_t) where[12];
};

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);
void __libc_free(void *memory);

#define CALLER __builtin_return_address(0)

static struct tally before_main; /* until the file is there */
static struct tally *tally = &before_main;
static uintptr_t program_start;
static uintptr_t spared_start, spared_end;
static _Thread_local bool is_noting; /* backtrace(3) may allocate */

static void note_spared(const struct dl_phdr_info *info)
{
	const char *spared = getenv("MEMORY_SPARES");

	if (spared == NULL || strstr(info->dlpi_name, spared) == NULL)
		return;
	spared_start = spared_end = info->dlpi_addr;
	for (size_t i = 0; i < info->dlpi_phnum; i++) {
		uintptr_t end =
			info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz;

		if (info->dlpi_phdr[i].p_type == PT_LOAD && end > spared_end)
			spared_end = end;
	}
}

static int note_object(struct dl_phdr_info *info, size_t size, void *is_first)
{
	(void)size;
	if (*(bool *)is_first)
		program_start = info->dlpi_addr;
	*(bool *)is_first = false;
	note_spared(info);
	return 0;
}

__attribute__((constructor)) static void map_tally(void)
{
	const char *path = getenv("MEMORY_FILE");
	int fd = path == NULL ? -1 : open(path, O_RDWR | O_CLOEXEC);
	void *frames[1], *mapped;
	bool is_first = true;

	dl_iterate_phdr(note_object, &is_first);
	(void)backtrace(frames, 1); /* what it loads at its first call is loaded now */
	if (fd < 0)
		return;
	mapped = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (mapped == MAP_FAILED)
		return;
	((struct tally *)mapped)->alive = before_main.alive;
	tally = mapped;
}

static void note_place(void)
{
	void *frames[14];
	int n;

	is_noting = true;
	n = backtrace(frames, 14);
	for (int i = 2; i < n; i++)
		tally->where[i - 2] = (uintptr_t)frames[i] - program_start;
	tally->frames = n - 2;
	is_noting = false;
}

/* Is it this one's turn, which that address has asked for? Then with errno. */
static bool fails(const void *caller)
{
	uintptr_t address = (uintptr_t)caller;
	int64_t number, first;

	if (is_noting || (address >= spared_start && address < spared_end))
		return false;
	number = atomic_fetch_add(&tally->asked, 1) + 1;
	first = tally->fail_at;
	if (first == 0 || number < first || number >= first + tally->fail_count)
		return false;
	if (atomic_fetch_add(&tally->failed, 1) == 0)
		note_place();
	errno = ENOMEM;
	return true;
}

static void *counted(void *memory)
{
	if (memory != NULL)
		atomic_fetch_add(&tally->alive, 1);
	return memory;
}

void *malloc(size_t size)
{
	return fails(CALLER) ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
	return fails(CALLER) ? NULL : counted(__libc_calloc(count, size));
}

static void *resize(void *old, size_t size)
{
	void *memory = __libc_realloc(old, size);

	if (old == NULL)
		counted(memory);
	else if (memory == NULL && size == 0)
		atomic_fetch_sub(&tally->alive, 1);
	return memory;
}

void *realloc(void *old, size_t size)
{
	return fails(CALLER) ? NULL : resize(old, size);
}

void *reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return fails(CALLER) ? NULL : resize(old, bytes);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return fails(CALLER) ? NULL : counted(__libc_memalign(alignment, size));
}

void *memalign(size_t alignment, size_t size)
{
	return fails(CALLER) ? NULL : counted(__libc_memalign(alignment, size));
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	void *memory = fails(CALLER) ? NULL : counted(__libc_memalign(alignment, size));

	if (memory == NULL)
		return ENOMEM;
	*out = memory;
	return 0;
}

void free(void *memory)
{
	if (memory == NULL)
		return;
	atomic_fetch_sub(&tally->alive, 1);
	__libc_free(memory);
}
