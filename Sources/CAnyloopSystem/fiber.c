// A second stack on one thread: two calls that take turns.
#define _GNU_SOURCE
#include "anyloop_system.h"
#include "fiber_tools.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

struct anyloop_fiber {
    ucontext_t inside;
    ucontext_t outside;
    void (*body)(void *context);
    void *context;
    char *stack;
    size_t size;
    int is_over;
    fiber_side within;
    fiber_side without;
    unsigned int number;
};

// makecontext passes ints only.
ANYLOOP_UNFOLLOWED static void start(unsigned int high, unsigned int low) {
    anyloop_fiber *fiber = (anyloop_fiber *)(((uintptr_t)high << 32) | (uintptr_t)low);
    fiber_tools_switched(&fiber->within, &fiber->without);
    fiber->body(fiber->context);
    fiber->is_over = 1;
    fiber_tools_switch(&fiber->within, &fiber->without, 1);
    // Goes back to `outside` by uc_link.
}

anyloop_fiber *anyloop_fiber_make(size_t stack_size, void (*body)(void *context), void *context) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    size_t size = (stack_size + page - 1) / page * page + page;
    anyloop_fiber *fiber = calloc(1, sizeof *fiber);
    if (!fiber) return NULL;
    char *stack = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) {
        free(fiber);
        return NULL;
    }
    // An overflow hits this page instead of another's memory.
    if (mprotect(stack, page, PROT_NONE) != 0 || getcontext(&fiber->inside) != 0) {
        munmap(stack, size);
        free(fiber);
        return NULL;
    }
    fiber->body = body;
    fiber->context = context;
    fiber->stack = stack;
    fiber->size = size;
    fiber->inside.uc_stack.ss_sp = stack + page;
    fiber->inside.uc_stack.ss_size = size - page;
    fiber->inside.uc_link = &fiber->outside;
    fiber->number = fiber_tools_register(&fiber->within, stack + page, size - page);
    uintptr_t address = (uintptr_t)fiber;
    makecontext(&fiber->inside, (void (*)(void))start, 2, (unsigned int)(address >> 32), (unsigned int)address);
    return fiber;
}

int anyloop_fiber_enter(anyloop_fiber *fiber) {
    if (!fiber->is_over) {
        fiber_tools_switch(&fiber->without, &fiber->within, 0);
        swapcontext(&fiber->outside, &fiber->inside);
        fiber_tools_switched(&fiber->without, &fiber->within);
    }
    return fiber->is_over;
}

void anyloop_fiber_leave(anyloop_fiber *fiber) {
    fiber_tools_switch(&fiber->within, &fiber->without, 0);
    swapcontext(&fiber->inside, &fiber->outside);
    fiber_tools_switched(&fiber->within, &fiber->without);
}

void anyloop_fiber_free(anyloop_fiber *fiber) {
    fiber_tools_forget(&fiber->within, fiber->number);
    munmap(fiber->stack, fiber->size);
    free(fiber);
}
