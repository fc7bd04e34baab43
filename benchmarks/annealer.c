/* A plain annealer for isosceles-free sets of an n x n grid, which benchmarks/annealer.py compares with.

   Single-cell Metropolis: a cell is drawn, and added or dropped with the probability
   min(1, exp(change / temperature)) of the change of (points - penalty * conflicts). The conflicts of every
   cell are kept up to date. It cools down in rounds, and starts again, until a set has `goal` points or
   `limit` cells were drawn.

   Arguments: n, seed, goal, limit, cells of a round, first and last temperature, penalty.
   Prints cells drawn, processor seconds of the search, and the points of the largest set.
*/
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STAGES = 200, COUNTED = 64 };

static uint64_t state;

static uint64_t draw(void) { /* xorshift64* */
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545F4914F6CDD1DULL;
}

static int squared(int n, int a, int b) {
    int down = a / n - b / n, right = a % n - b % n;
    return down * down + right * right;
}

static int conflict(int n, int a, int b, int c) {
    int ab = squared(n, a, b), bc = squared(n, b, c), ac = squared(n, a, c);
    return ab == bc || bc == ac || ab == ac;
}

int main(int given, char **word) {
    if (given != 9) return 1;
    int n = atoi(word[1]), cells = n * n, goal = atoi(word[3]);
    state = 0x9E3779B97F4A7C15ULL * (uint64_t)(atoi(word[2]) + 1);
    double limit = atof(word[4]), round = atof(word[5]);
    double first = atof(word[6]), last = atof(word[7]), penalty = atof(word[8]);

    /* third[begin[p * cells + q] ...] are the cells in conflict with p and q. */
    uint32_t *begin = malloc(((size_t)cells * cells + 1) * sizeof *begin);
    uint16_t *third = NULL;
    for (int pass = 0; pass < 2; pass++) {
        uint32_t found = 0;
        for (int p = 0; p < cells; p++)
            for (int q = 0; q < cells; q++) {
                begin[(size_t)p * cells + q] = found;
                for (int r = 0; p != q && r < cells; r++)
                    if (r != p && r != q && conflict(n, p, q, r)) {
                        if (pass) third[found] = (uint16_t)r;
                        found++;
                    }
            }
        begin[(size_t)cells * cells] = found;
        if (!pass) third = malloc((found + 1) * sizeof *third);
    }

    uint8_t *inside = malloc(cells);
    int32_t *counts = malloc(cells * sizeof *counts);
    int *members = malloc(cells * sizeof *members), *place = malloc(cells * sizeof *place);
    int *best = malloc(cells * sizeof *best), most = 0;
    double drawn = 0;
    clock_t began = clock();
    while (drawn < limit && most < goal) {
        int size = 0;
        long broken = 0;
        memset(inside, 0, cells);
        memset(counts, 0, cells * sizeof *counts);
        for (int stage = 0; stage < STAGES && drawn < limit && most < goal; stage++) {
            double temperature = first * pow(last / first, stage / (STAGES - 1.0));
            uint32_t accepted[2][COUNTED]; /* of 2^32, by whether the cell is inside and its conflicts */
            for (int count = 0; count < COUNTED; count++) {
                double change = 1 - penalty * count;
                accepted[0][count] = (uint32_t)(4294967295.0 * fmin(1, exp(change / temperature)));
                accepted[1][count] = (uint32_t)(4294967295.0 * fmin(1, exp(-change / temperature)));
            }
            for (long i = (long)(round / STAGES); i > 0 && most < goal; i--) {
                uint64_t bits = draw();
                int cell = (int)(((bits & 0xFFFFFFFF) * (uint64_t)cells) >> 32), was = inside[cell];
                int count = counts[cell] < COUNTED ? counts[cell] : COUNTED - 1;
                drawn++;
                if ((uint32_t)(bits >> 32) > accepted[was][count]) continue;
                inside[cell] = (uint8_t)!was;
                broken += was ? -counts[cell] : counts[cell];
                if (was) { /* its place goes to the last member */
                    members[place[cell]] = members[--size];
                    place[members[size]] = place[cell];
                }
                for (int m = 0; m < size; m++) {
                    size_t pair = (size_t)cell * cells + members[m];
                    for (uint32_t t = begin[pair]; t < begin[pair + 1]; t++) counts[third[t]] += was ? -1 : 1;
                }
                if (!was) {
                    place[cell] = size;
                    members[size++] = cell;
                }
                if (!broken && size > most) {
                    most = size;
                    memcpy(best, members, size * sizeof *best);
                }
            }
        }
    }
    printf("%.0f %.6f", drawn, (double)(clock() - began) / CLOCKS_PER_SEC);
    for (int m = 0; m < most; m++) printf(" %d", best[m]);
    printf("\n");
    return 0;
}
