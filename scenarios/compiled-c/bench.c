/* Counts the words of a text, again and again; prints the seconds. Compiled against each candidate's own library. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "count.h"

/* All code is moved by what the build is told: where it begins decides on its speed, too. */
#ifndef LAYOUT
#define LAYOUT 0
#endif
#define AS_TEXT(x) #x
#define TEXT(x) AS_TEXT(x)
__asm__(".section .text.unlikely.layout,\"axR\"\n.rept " TEXT(LAYOUT) " % 4096\nnop\n.endr\n.text");

int main(void) {
    enum { SIZE = 16 * 1024, ROUNDS = 4000 };
    char *text = malloc(SIZE + 1);
    struct timespec start, end;
    long words = 0;
    if (!text) return 1;
    for (int i = 0; i < SIZE; i++) text[i] = i % 6 ? 'x' : ' ';
    text[SIZE] = 0;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int i = 0; i < ROUNDS; i++) {
        text[i % SIZE] = 'y';
        words += count_words(text);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (words == 0) return 1;
    printf("%.9f\n", (double)(end.tv_sec - start.tv_sec) + 1e-9 * (double)(end.tv_nsec - start.tv_nsec));
    return 0;
}
