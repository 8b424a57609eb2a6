// What tools that watch memory and threads must be told of a second stack; nothing where none of them does.
//
// `fiber_tools_switch` goes before a switch, `fiber_tools_switched` is the first thing on the other side of it.
#ifndef ANYLOOP_FIBER_TOOLS_H
#define ANYLOOP_FIBER_TOOLS_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define ANYLOOP_ADDRESS_SANITIZER 1
#include <sanitizer/common_interface_defs.h>
#endif
#if __has_feature(thread_sanitizer)
#define ANYLOOP_THREAD_SANITIZER 1
#include <sanitizer/tsan_interface.h>
#endif
#endif

#if defined(__has_include)
#if __has_include(<valgrind/valgrind.h>)
#define ANYLOOP_VALGRIND 1
#include <valgrind/valgrind.h>
#endif
#endif

// The thread sanitizer must not count calls that begin on one stack and end on the other.
#ifdef ANYLOOP_THREAD_SANITIZER
#define ANYLOOP_UNFOLLOWED __attribute__((disable_sanitizer_instrumentation))
#else
#define ANYLOOP_UNFOLLOWED
#endif

/// One of the two stacks, as the tools know it.
typedef struct fiber_side {
    /// Its lowest address and its size; of the thread's own stack known once it has been left.
    const void *bottom;
    size_t size;
    /// The address sanitizer's own frames of it, while it is left.
    void *fake;
    /// The thread sanitizer's name for it.
    void *thread;
} fiber_side;

/// Makes the fiber's side known; a number for `fiber_tools_forget`.
static inline unsigned int fiber_tools_register(fiber_side *inside, void *bottom, size_t size) {
    inside->bottom = bottom;
    inside->size = size;
#ifdef ANYLOOP_THREAD_SANITIZER
    inside->thread = __tsan_create_fiber(0);
#endif
#ifdef ANYLOOP_VALGRIND
    return (unsigned int)VALGRIND_STACK_REGISTER(bottom, (char *)bottom + size);
#else
    return 0;
#endif
}

static inline void fiber_tools_forget(fiber_side *inside, unsigned int number) {
#ifdef ANYLOOP_THREAD_SANITIZER
    __tsan_destroy_fiber(inside->thread);
#else
    (void)inside;
#endif
#ifdef ANYLOOP_VALGRIND
    VALGRIND_STACK_DEREGISTER(number);
#else
    (void)number;
#endif
}

/// `from` is about to be left for `to`; for good if the fiber is over.
ANYLOOP_UNFOLLOWED static inline void fiber_tools_switch(fiber_side *from, fiber_side *to, int is_over) {
#ifdef ANYLOOP_ADDRESS_SANITIZER
    __sanitizer_start_switch_fiber(is_over ? NULL : &from->fake, to->bottom, to->size);
#endif
#ifdef ANYLOOP_THREAD_SANITIZER
    from->thread = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->thread, 0);
#endif
    (void)from, (void)to, (void)is_over;
}

/// `here` was entered, from `from`.
ANYLOOP_UNFOLLOWED static inline void fiber_tools_switched(fiber_side *here, fiber_side *from) {
#ifdef ANYLOOP_ADDRESS_SANITIZER
    __sanitizer_finish_switch_fiber(here->fake, &from->bottom, &from->size);
#endif
    (void)here, (void)from;
}

#endif
