/*
 * The limit: a plain scan of rows of float32 at memory speed, two threads, with the best ten kept.
 * It holds nothing but the vectors, filters nothing and ranks by the scanned score.
 *
 *   scan ROWS SECONDS     prints the median time of a query in microseconds
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef __AVX512F__
#include <immintrin.h>
#endif

enum { DIM = 384, K = 10, THREADS = 2, QUERIES = 64, BLOCK = 1024, MOST_RUNS = 1000000 };

static float *rows, *queries;
static long count;
static atomic_long next; /* row of the next block: a thread that is held up does less */

struct part {
  const float *query;
  float best[K];
  long ids[K];
};

static void offer(struct part *p, float score, long id) {
  if (score <= p->best[K - 1]) return;
  int i = K - 1;
  for (; i > 0 && p->best[i - 1] < score; i--) {
    p->best[i] = p->best[i - 1];
    p->ids[i] = p->ids[i - 1];
  }
  p->best[i] = score;
  p->ids[i] = id;
}

static void four(const float *r, const float *q, float *out) {
#ifdef __AVX512F__
  __m512 s0 = _mm512_setzero_ps(), s1 = s0, s2 = s0, s3 = s0;
  for (int j = 0; j < DIM; j += 16) {
    __m512 x = _mm512_load_ps(q + j);
    s0 = _mm512_fmadd_ps(_mm512_load_ps(r + j), x, s0);
    s1 = _mm512_fmadd_ps(_mm512_load_ps(r + DIM + j), x, s1);
    s2 = _mm512_fmadd_ps(_mm512_load_ps(r + 2 * DIM + j), x, s2);
    s3 = _mm512_fmadd_ps(_mm512_load_ps(r + 3 * DIM + j), x, s3);
  }
  out[0] = _mm512_reduce_add_ps(s0);
  out[1] = _mm512_reduce_add_ps(s1);
  out[2] = _mm512_reduce_add_ps(s2);
  out[3] = _mm512_reduce_add_ps(s3);
#else
  for (int i = 0; i < 4; i++) {
    float lanes[16] = {0};
    for (int j = 0; j < DIM; j += 16)
      for (int l = 0; l < 16; l++) lanes[l] += r[i * DIM + j + l] * q[j + l];
    out[i] = 0;
    for (int l = 0; l < 16; l++) out[i] += lanes[l];
  }
#endif
}

static void *scan(void *arg) {
  struct part *p = arg;
  float scores[4];
  for (int i = 0; i < K; i++) p->best[i] = -2;
  for (long from = atomic_fetch_add(&next, BLOCK); from < count; from = atomic_fetch_add(&next, BLOCK)) {
    long to = from + BLOCK < count ? from + BLOCK : count;
    for (long i = from; i < to; i += 4) {
      four(rows + i * DIM, p->query, scores);
      for (int j = 0; j < 4; j++) offer(p, scores[j], i + j);
    }
  }
  return NULL;
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

static void fill(float *to, long n) {
  for (long i = 0; i < n; i++) to[i] = (float)rand() / RAND_MAX - 0.5f;
}

int main(int argc, char **argv) {
  if (argc != 3) return fprintf(stderr, "usage: scan ROWS SECONDS\n"), 2;
  count = atol(argv[1]) / 4 * 4;
  double limit = atof(argv[2]) * 1e6;
  rows = aligned_alloc(64, sizeof(float) * DIM * count);
  queries = aligned_alloc(64, sizeof(float) * DIM * QUERIES);
  fill(rows, DIM * count);
  fill(queries, DIM * QUERIES);
  static double times[MOST_RUNS];
  double check = 0, begin = 0;
  long done = 0, warm = 20;
  for (long n = 0; done < MOST_RUNS; n++) {
    if (n == warm) begin = now();
    double start = now();
    struct part parts[THREADS];
    pthread_t threads[THREADS];
    /* Small scans are quicker than a thread's start. */
    int workers = count < 3000 ? 1 : THREADS;
    atomic_store(&next, 0);
    for (int t = 0; t < workers; t++) {
      parts[t] = (struct part){.query = queries + n % QUERIES * DIM};
      if (t > 0) pthread_create(&threads[t], NULL, scan, &parts[t]);
    }
    scan(&parts[0]);
    for (int t = 1; t < workers; t++) {
      pthread_join(threads[t], NULL);
      for (int i = 0; i < K; i++) offer(&parts[0], parts[t].best[i], parts[t].ids[i]);
    }
    check += parts[0].best[K - 1];
    if (n >= warm) {
      times[done++] = now() - start;
      if (now() - begin > limit && done >= 20) break;
    }
  }
  qsort(times, done, sizeof *times, by_value);
  printf("%.1f\n", times[done / 2]);
  fprintf(stderr, "check %f\n", check);
  return 0;
}
