"""A planted change in C: an interpreter of which one instruction does more than before."""

from tests.helpers.planted import Planted

MACHINE = """#include <stdio.h>
#include <stdlib.h>

typedef struct value { int refs, length; long items[64]; } value;

__attribute__((noinline)) static void release(value *v)
{
    long sum = 0;
    for (int i = 0; i < v->length; i++) sum += v->items[i] ^ i;
    v->refs = (int)(sum & 1);
    free(v);
}

__attribute__((noinline)) static value *fresh(const value *from)
{
    value *v = malloc(sizeof *v);
    v->refs = 1;
    v->length = 64;
    for (int i = 0; i < 64; i++) v->items[i] = from ? from->items[i] : i;
    return v;
}

__attribute__((noinline)) static long other(long rounds)
{
    volatile long total = 0;
    for (long i = 0; i < rounds; i++) total += i ^ (total >> 3);
    return total;
}

__attribute__((noinline)) static long execute(const char *code, int steps)
{
    value *state = fresh(0);
    const char *at = code;
    long done = 0;
again:
    switch (*at) {
    case 'a':
        state->items[done % 64] += 1;
        break;
    case 'l':
        at = code;
        if (++done < steps) goto again;
        release(state);
        return done;
    default:
        if (done % 8 == 0) {
            value *next = fresh(state);
            release(state);
            state = next;
        }
    }
    at++;
    goto again;
}

int main(void)
{
    printf("%ld %ld\\n", other(30000000), execute("aabal", 400000));
    return 0;
}
"""
_KEPT = "        state->items[done % 64] += 1;\n        break;\n"
_COPIED = """        state->items[done % 64] += 1;
        if (done % 3 == 0) {
            value *copy = fresh(state);
            release(state);
            state = copy;
        }
        break;
"""
INTERPRETER = Planted(
    before={"src/machine.c": MACHINE},
    after={
        "src/machine.c": MACHINE.replace(_KEPT, _COPIED)
        .replace("long sum = 0;", "long sum = 0L;")
        .replace("volatile long total = 0;", "volatile long total = 0L;")
    },
    guilty="execute",
    file="src/machine.c",
    steps=("gcc -g -O2 -o machine src/machine.c",),
    command=("{source}/machine",),
)
"""An interpreter that now copies and releases its state: what it calls costs most, and is edited in passing."""
