/* The threads of both programs: each hashes until the time is over. A hash counts by the part of it that lies in that time. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double begun, over;

static void *work(void *count) {
    unsigned char out[32];
    unsigned char salt[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};
    for (double then = now(), next; then < over; then = next) {
        if (hash(out, salt) != 0) exit(1);
        salt[0] = out[0];
        next = now();
        *(double *)count += next <= over ? 1.0 : (over - then) / (next - then);
    }
    return NULL;
}

int main(int arguments, char **argument) {
    if (arguments != 3 || ready() != 0) return 2;
    int threads = atoi(argument[1]);
    if (threads < 1 || threads > 256) return 2;
    static pthread_t handles[256];
    static double counts[256];
    begun = now();
    over = begun + atof(argument[2]);
    for (int i = 0; i < threads; i++)
        if (pthread_create(&handles[i], NULL, work, &counts[i]) != 0) return 1;
    double sum = 0;
    for (int i = 0; i < threads; i++) {
        pthread_join(handles[i], NULL);
        sum += counts[i];
    }
    printf("%.3f\n", sum / (over - begun));
    return 0;
}
