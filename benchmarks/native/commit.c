// The least that clients who share syncs wait for: threads that add a record each, of which one writes and syncs what all have queued,
// as a journal does, and nothing else: no memory to change, no files behind it.
//   commit FOLDER CLIENTS ADDS
// prints the median of an add in microseconds.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { RECORD = 2100, MAX_CLIENTS = 64, ROOM = 64 << 20 };
static const double MAX_GATHER_MICROS = 150;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t synced_more = PTHREAD_COND_INITIALIZER;
static int file, clients, each, leading, queued;
static long numbered, synced, end;
static char queue[MAX_CLIENTS * RECORD], group[MAX_CLIENTS * RECORD];
static double *micros;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

// Waits a moment for those who were just answered; the lock is held before and after.
static void gather(void) {
  double start = now();
  while (queued < clients && now() - start < MAX_GATHER_MICROS) {
    pthread_mutex_unlock(&lock);
    sched_yield();
    pthread_mutex_lock(&lock);
  }
}

// Writes and syncs for all; the lock is held before and after.
static void lead(void) {
  leading = 1;
  gather();
  long bytes = (long)queued * RECORD, upto = numbered;
  memcpy(group, queue, bytes);
  queued = 0;
  pthread_mutex_unlock(&lock);
  if (end + bytes > ROOM) end = 0;
  if (pwrite(file, group, bytes, end) != bytes || fdatasync(file)) fail("write");
  end += bytes;
  pthread_mutex_lock(&lock);
  synced = upto;
  leading = 0;
  pthread_cond_broadcast(&synced_more);
}

static void *add(void *number) {
  char record[RECORD];
  memset(record, 'x', RECORD);
  for (int i = 0; i < each; i++) {
    double start = now();
    pthread_mutex_lock(&lock);
    memcpy(queue + (long)queued++ * RECORD, record, RECORD);
    long mine = ++numbered;
    while (synced < mine) {
      if (leading) pthread_cond_wait(&synced_more, &lock);
      else lead();
    }
    pthread_mutex_unlock(&lock);
    micros[(long)number * each + i] = now() - start;
  }
  return NULL;
}

static int compare(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

int main(int count, char **arguments) {
  clients = count == 4 ? atoi(arguments[2]) : 0;
  int adds = count == 4 ? atoi(arguments[3]) : 0;
  if (clients < 1 || clients > MAX_CLIENTS || adds < clients) {
    fprintf(stderr, "usage: commit FOLDER CLIENTS ADDS\n");
    return 2;
  }
  each = adds / clients;
  char path[4096];
  if (snprintf(path, sizeof path, "%s/commit.tmp", arguments[1]) >= (int)sizeof path) return 2;
  file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) fail(path);
  unlink(path);
  // Room, as a journal has it: a sync then writes no new size.
  char *zeros = calloc(1, 1 << 20);
  for (long at = 0; at < ROOM; at += 1 << 20)
    if (!zeros || pwrite(file, zeros, 1 << 20, at) != 1 << 20) fail("room");
  if (fsync(file)) fail("room");
  micros = malloc(sizeof(double) * clients * each);
  if (!micros) return 1;
  pthread_t threads[MAX_CLIENTS];
  for (long i = 0; i < clients; i++)
    if (pthread_create(&threads[i], NULL, add, (void *)i)) return 1;
  for (int i = 0; i < clients; i++) pthread_join(threads[i], NULL);
  long all = (long)clients * each;
  qsort(micros, all, sizeof(double), compare);
  printf("%.1f\n", micros[all / 2]);
  return 0;
}
