/* Counts the words of a text; prints the processor seconds of the best of 20 rounds. */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "count.h"

/* All code is moved by what the build is told: where it begins decides on its speed, too. */
#ifndef LAYOUT
#define LAYOUT 0
#endif
#define AS_TEXT(x) #x
#define TEXT(x) AS_TEXT(x)
__asm__(".section .text.unlikely.layout,\"axR\"\n.rept " TEXT(LAYOUT) " % 4096\nnop\n.endr\n.text");

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &at);
    return (double)at.tv_sec + 1e-9 * (double)at.tv_nsec;
}

int main(void) {
    enum { SIZE = 16 * 1024, ROUNDS = 20, COUNTS = 100 };
    char *text = malloc(SIZE + 1);
    double best = 1e9;
    if (!text) return 1;
    for (int i = 0; i < SIZE; i++) text[i] = i % 6 ? 'x' : ' ';
    text[SIZE] = 0;
    for (int round = 0; round < ROUNDS; round++) {
        double began = now();
        for (int i = 0; i < COUNTS; i++)
            if (count_words(text) != (SIZE + 5) / 6) return 1;
        double taken = now() - began;
        if (taken < best) best = taken;
    }
    printf("%.9f\n", best);
    return 0;
}
