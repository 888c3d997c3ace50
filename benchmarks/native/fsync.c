/*
 * The limit of a durable write: what the disk takes to keep 4 KiB appended to a file.
 *
 *   fsync FOLDER COUNT     prints the median times in microseconds with fdatasync and with fsync
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { BYTES = 4096 };

static char path[4096];

static void fail(const char *what) {
  perror(what);
  unlink(path);
  exit(1);
}

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double median(int (*keep)(int), long count) {
  static char bytes[BYTES];
  double *times = malloc(sizeof *times * count);
  int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
  if (file < 0) fail(path);
  for (long i = 0; i < count; i++) {
    memset(bytes, (int)i, BYTES);
    double start = now();
    if (write(file, bytes, BYTES) != BYTES) fail("write");
    if (keep(file) != 0) fail("sync");
    times[i] = now() - start;
  }
  close(file);
  unlink(path);
  qsort(times, count, sizeof *times, by_value);
  double middle = times[count / 2];
  free(times);
  return middle;
}

int main(int argc, char **argv) {
  long count = argc == 3 ? atol(argv[2]) : 0;
  if (count < 1) return fprintf(stderr, "usage: fsync FOLDER COUNT\n"), 2;
  snprintf(path, sizeof path, "%s/fsync-%d.tmp", argv[1], (int)getpid());
  median(fsync, count); /* not counted: what others left to write goes first */
  double data = median(fdatasync, count);
  printf("%.1f %.1f\n", data, median(fsync, count));
  return 0;
}
