/*
 * What no scheduler can beat: start PROGRAM, COUNT times, SLOTS at a time, and wait for each.
 *
 * Each gets its number as its argument, as it does from all the others: GNU `true` reads the locale
 * when it has one, and then costs a quarter more than without.
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

extern char **environ;

int main(int argc, char **argv)
{
    if (argc != 4) {
        fprintf(stderr, "usage: floor COUNT SLOTS PROGRAM\n");
        return 2;
    }
    long left = atol(argv[1]), slots = atol(argv[2]), running = 0;
    char number[24];
    char *command[] = {argv[3], number, NULL};
    while (left > 0 || running > 0) {
        pid_t pid;
        if (left > 0 && running < slots) {
            snprintf(number, sizeof number, "%ld", left);
            if (posix_spawn(&pid, argv[3], NULL, NULL, command, environ) != 0)
                return 1;
            left--;
            running++;
        } else {
            int status;
            if (wait(&status) < 0 || status != 0)
                return 1;
            running--;
        }
    }
    return 0;
}
