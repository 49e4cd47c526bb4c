// Many threads, forked children and signal handlers → one that decides at a time.
//
// ld.so has its own lock around every search, but does not promise it. In a child of fork(2) the thread that held this
// one may not exist: the lock lies in memory that the kernel gives to children zeroed, and so is free there.
#include "one-at-a-time.h"
#include "module-kernel.h"

enum { FREE, TAKEN, AWAITED };
enum { PAGE_SIZE = 4096, MOST_WAITS = 60 };

struct lock {
	int word;
	uintptr_t holder;
};

static struct lock lock_in_image;
static struct lock *lock_in_page;

static struct lock *find_lock(void)
{
	struct lock *found = __atomic_load_n(&lock_in_page, __ATOMIC_ACQUIRE), *none = NULL;
	if (found)
		return found;
	long page = kernel_map_memory(PAGE_SIZE, MAP_PRIVATE);
	struct lock *made = is_kernel_error(page) ? NULL : (struct lock *)page;
	if (made && kernel_wipe_on_fork(made, PAGE_SIZE) < 0) {
		kernel_unmap((uintptr_t)made, PAGE_SIZE); // before Linux 4.14, and in emulators
		made = NULL;
	}
	struct lock *wanted = made ? made : &lock_in_image;
	if (__atomic_compare_exchange_n(&lock_in_page, &none, wanted, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return wanted;
	if (made)
		kernel_unmap((uintptr_t)made, PAGE_SIZE);
	return none;
}

bool one_at_a_time_enter(void)
{
	struct lock *lock = find_lock();
	const struct native_time half_a_second = {0, 500000000};
	int seen = FREE;
	if (!__atomic_compare_exchange_n(&lock->word, &seen, TAKEN, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) {
		if (__atomic_load_n(&lock->holder, __ATOMIC_RELAXED) == thread_pointer())
			return false;
		int waits = 0;
		while (__atomic_exchange_n(&lock->word, AWAITED, __ATOMIC_ACQUIRE) != FREE) {
			if (++waits > MOST_WAITS)
				return false;
			kernel_futex_wait(&lock->word, AWAITED, &half_a_second);
		}
	}
	__atomic_store_n(&lock->holder, thread_pointer(), __ATOMIC_RELAXED);
	return true;
}

void one_at_a_time_leave(void)
{
	struct lock *lock = find_lock();
	__atomic_store_n(&lock->holder, 0, __ATOMIC_RELAXED);
	if (__atomic_exchange_n(&lock->word, FREE, __ATOMIC_RELEASE) == AWAITED)
		kernel_futex_wake(&lock->word, 1);
}
