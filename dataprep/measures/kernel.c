/* The measures that read every pixel, compiled: whole numbers of an image, from which Python computes
 * the figures.
 *
 * Each function does what a Python function of the same name or task does, to the bit; those are the
 * reference, and `tests/measures/test_kernel.py` compares the two. `_kernel.pyi` says what each takes
 * and gives. Nothing here needs numpy: arrays come through the buffer protocol, and the module is built
 * once for all versions of CPython from 3.11 on. Pixels are read without the GIL.
 */
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Raised with every change of what a function takes or gives; `compiled.py` names the same. */
#define KERNEL_VERSION 4

/* Where the compiler and the C library can choose at load time, loops are compiled twice. Neither
 * version fuses multiplications and additions, so both give the same. */
#if defined(__has_attribute) && defined(__x86_64__) && defined(__linux__) && defined(__GLIBC__) \
    && !defined(DATAPREP_ONE_TARGET)
#if __has_attribute(target_clones)
#define VECTORISED __attribute__((target_clones("avx2", "default")))
#endif
#endif
#ifndef VECTORISED
#define VECTORISED
#endif

/* Two loops are written out for AVX2, where compilers do not find the way: pixels of three bytes, and
 * sums over rows that share weights. */
#if defined(__x86_64__) && defined(__GNUC__) && !defined(DATAPREP_ONE_TARGET)
#include <immintrin.h>
#define WITH_AVX2 __attribute__((target("avx2")))
#endif

#if defined(__GNUC__)
#define INLINED static inline __attribute__((always_inline))
#else
#define INLINED static inline
#endif

#define SIDE 32       /* of a thumb */
#define BLOCK 8       /* pixels of a side of JPEG's blocks */
#define ROWS 17       /* rows of a band */
#define FAR 8         /* pixels of the long step of `steps` */
#define PRECISION 22  /* bits behind the point in the weights of `reduce` */
#define LOW_BITS 11   /* of a weight's two parts the lower one has so many */
#define LANES 16      /* weights are padded to a multiple of this */
#define CHUNK 8192    /* squares of so many bytes are added in 32 bits */
#define CELLS 6       /* of a sketch, along each side */
#define DIRECTIONS 8  /* of a sketch */

typedef struct {
    Py_buffer view;
    const uint8_t *data;
    Py_ssize_t rows, columns, row_step, column_step;
} Plane;

/* Opens `object` as (rows, columns) or, with 3 channels, (rows, columns, 3) bytes. */
static int open_plane(PyObject *object, Plane *plane, int channels)
{
    Py_buffer *view = &plane->view;
    if (PyObject_GetBuffer(object, view, PyBUF_STRIDES) < 0)
        return -1;
    int dimensions = channels == 1 ? 2 : 3;
    int fits = view->ndim == dimensions && view->itemsize == 1 && view->shape[0] > 0
        && view->shape[1] > 0;
    if (fits && channels == 3)
        fits = view->shape[2] == 3 && view->strides[2] == 1 && view->strides[1] == 3
            && (view->shape[0] == 1 || view->strides[0] == 3 * view->shape[1]);
    if (!fits) {
        PyBuffer_Release(view);
        PyErr_SetString(PyExc_ValueError,
                        channels == 3 ? "expected contiguous (h, w, 3) bytes, none of them 0"
                                      : "expected (h, w) bytes, neither of them 0");
        return -1;
    }
    plane->data = view->buf;
    plane->rows = view->shape[0];
    plane->columns = view->shape[1];
    plane->row_step = view->strides[0];
    plane->column_step = view->strides[1];
    return 0;
}

/* As `open_plane`, of a plane in which the pixels of a row are neighbours. */
static int open_rows(PyObject *object, Plane *plane)
{
    if (open_plane(object, plane, 1) < 0)
        return -1;
    if (plane->columns > 1 && plane->column_step != 1) {
        PyBuffer_Release(&plane->view);
        PyErr_SetString(PyExc_ValueError, "expected rows of neighbouring bytes");
        return -1;
    }
    return 0;
}

static PyObject *bytes_of(const void *data, size_t size)
{
    return PyBytes_FromStringAndSize(data, (Py_ssize_t)size);
}

/* ---- luma, tones, colours */

#ifdef WITH_AVX2
/* 4 pixels of 12 bytes from `low` on and 4 from `high` on (of 16 that are read), as (4, 4) sums. */
WITH_AVX2 INLINED __m256i luma_of_eight(const uint8_t *low, const uint8_t *high)
{
    const __m256i red_green = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, -1, 1, -1, 3, -1, 4, -1, 6, -1, 7, -1, 9, -1, 10, -1));
    const __m256i blue = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1));
    __m256i pixels = _mm256_inserti128_si256(
        _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
        _mm_loadu_si128((const __m128i *)high), 1);
    __m256i sum = _mm256_add_epi32(
        _mm256_madd_epi16(_mm256_shuffle_epi8(pixels, red_green), _mm256_set1_epi32(19235 << 16 | 9798)),
        _mm256_madd_epi16(_mm256_shuffle_epi8(pixels, blue), _mm256_set1_epi32(3735)));
    return _mm256_srli_epi32(_mm256_add_epi32(sum, _mm256_set1_epi32(16384)), 15);
}

/* Luma of the first pixels, as many as there are whole steps; how many that are. */
WITH_AVX2 static size_t fill_luma_avx2(const uint8_t *rgb, uint8_t *luma, size_t count)
{
    size_t i = 0;
    for (; i + 34 <= count; i += 32) { /* the last 16 bytes read end 4 bytes after 32 pixels */
        const uint8_t *low = rgb + 3 * i, *high = low + 48;
        __m256i first = _mm256_packs_epi32(luma_of_eight(low, high), luma_of_eight(low + 12, high + 12));
        __m256i second =
            _mm256_packs_epi32(luma_of_eight(low + 24, high + 24), luma_of_eight(low + 36, high + 36));
        _mm256_storeu_si256((__m256i *)(luma + i), _mm256_packus_epi16(first, second));
    }
    return i;
}
#endif

static void fill_luma(const uint8_t *restrict rgb, uint8_t *restrict luma, size_t count)
{
    size_t i = 0;
#ifdef WITH_AVX2
    if (__builtin_cpu_supports("avx2"))
        i = fill_luma_avx2(rgb, luma, count);
#endif
    for (; i < count; i++)
        luma[i] = (uint8_t)((rgb[3 * i] * 9798u + rgb[3 * i + 1] * 19235u + rgb[3 * i + 2] * 3735u
                             + 16384u) >> 15);
}

static PyObject *luma(PyObject *self, PyObject *arguments)
{
    PyObject *source;
    Py_buffer out;
    Plane rgb;
    if (!PyArg_ParseTuple(arguments, "Ow*", &source, &out))
        return NULL;
    if (open_plane(source, &rgb, 3) < 0) {
        PyBuffer_Release(&out);
        return NULL;
    }
    int fits = out.len == rgb.rows * rgb.columns;
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        fill_luma(rgb.data, out.buf, (size_t)out.len);
        Py_END_ALLOW_THREADS
    } else
        PyErr_SetString(PyExc_ValueError, "expected one byte of luma a pixel");
    PyBuffer_Release(&rgb.view);
    PyBuffer_Release(&out);
    if (!fits)
        return NULL;
    Py_RETURN_NONE;
}

/* Adds the bytes of a row to four counters of each level: neighbours are often equal. */
static void count_row(const uint8_t *row, Py_ssize_t size, uint32_t counts[4][256])
{
    Py_ssize_t i = 0;
    for (; i + 4 <= size; i += 4) {
        counts[0][row[i]]++;
        counts[1][row[i + 1]]++;
        counts[2][row[i + 2]]++;
        counts[3][row[i + 3]]++;
    }
    for (; i < size; i++)
        counts[0][row[i]]++;
}

/* (counted pixels, sum of levels, sum of their squares, entropy, levels of the shares in `targets`). */
static PyObject *describe(uint32_t counts[4][256], const double *targets, Py_ssize_t asked)
{
    uint64_t merged[256], number = 0, total = 0, squares = 0;
    for (unsigned level = 0; level < 256; level++) {
        merged[level] = (uint64_t)counts[0][level] + counts[1][level] + counts[2][level]
            + counts[3][level];
        number += merged[level];
        total += level * merged[level];
        squares += (uint64_t)level * level * merged[level];
    }
    double entropy = 0;
    for (int level = 0; level < 256; level++)
        if (merged[level]) {
            double share = (double)merged[level] / (double)number;
            entropy -= share * log2(share);
        }
    PyObject *levels = PyTuple_New(asked);
    if (!levels)
        return NULL;
    for (Py_ssize_t k = 0; k < asked; k++) {
        uint64_t below = 0;
        int level = 0;
        for (; level < 255; level++) {
            below += merged[level];
            if ((double)below >= targets[k] * (double)number)
                break;
        }
        PyObject *value = PyLong_FromLong(level);
        if (!value || PyTuple_SetItem(levels, k, value) < 0) {
            Py_DECREF(levels);
            return NULL;
        }
    }
    return Py_BuildValue("KKKdN", number, total, squares, entropy, levels);
}

/* How far the bytes of a row of pixels differ in each pixel. */
VECTORISED static void fill_chroma(const uint8_t *restrict rgb, uint8_t *restrict chroma, Py_ssize_t size)
{
    for (Py_ssize_t i = 0; i < size; i++) {
        uint8_t red = rgb[3 * i], green = rgb[3 * i + 1], blue = rgb[3 * i + 2];
        uint8_t high = red > green ? red : green, low = red > green ? green : red;
        high = high > blue ? high : blue;
        low = low < blue ? low : blue;
        chroma[i] = (uint8_t)(high - low);
    }
}

static void count_levels(const Plane *plane, Py_ssize_t step, int channels, uint32_t counts[4][256])
{
    uint8_t chroma[1024];
    for (Py_ssize_t row = step / 2; row < plane->rows; row += step) {
        const uint8_t *data = plane->data + row * plane->row_step;
        if (channels == 1) {
            count_row(data, plane->columns, counts);
            continue;
        }
        for (Py_ssize_t start = 0; start < plane->columns; start += 1024) {
            Py_ssize_t size = plane->columns - start < 1024 ? plane->columns - start : 1024;
            fill_chroma(data + 3 * start, chroma, size);
            count_row(chroma, size, counts);
        }
    }
}

/* The tones of a plane, or, of (h, w, 3) bytes, those of its chroma. */
static PyObject *levels_of(PyObject *arguments, int channels)
{
    PyObject *source, *result = NULL;
    Py_ssize_t step;
    Py_buffer targets;
    Plane plane;
    if (!PyArg_ParseTuple(arguments, "Ony*", &source, &step, &targets))
        return NULL;
    if (step < 1)
        PyErr_SetString(PyExc_ValueError, "expected a step of at least 1");
    else if ((channels == 1 ? open_rows(source, &plane) : open_plane(source, &plane, 3)) == 0) {
        uint32_t counts[4][256];
        memset(counts, 0, sizeof counts);
        Py_BEGIN_ALLOW_THREADS
        count_levels(&plane, step, channels, counts);
        Py_END_ALLOW_THREADS
        PyBuffer_Release(&plane.view);
        result = describe(counts, targets.buf, targets.len / (Py_ssize_t)sizeof(double));
    }
    PyBuffer_Release(&targets);
    return result;
}

static PyObject *tones(PyObject *self, PyObject *arguments)
{
    return levels_of(arguments, 1);
}

static PyObject *chroma(PyObject *self, PyObject *arguments)
{
    return levels_of(arguments, 3);
}

VECTORISED static void add_colours(const uint8_t *rgb, Py_ssize_t size, uint64_t sums[3])
{
    for (Py_ssize_t start = 0; start < size; start += CHUNK) {
        Py_ssize_t end = size - start < CHUNK ? size : start + CHUNK;
        uint32_t red = 0, green = 0, blue = 0;
        for (Py_ssize_t i = start; i < end; i++) {
            red += rgb[3 * i];
            green += rgb[3 * i + 1];
            blue += rgb[3 * i + 2];
        }
        sums[0] += red;
        sums[1] += green;
        sums[2] += blue;
    }
}

static PyObject *colours(PyObject *self, PyObject *arguments)
{
    PyObject *source;
    Py_ssize_t step;
    Plane rgb;
    if (!PyArg_ParseTuple(arguments, "On", &source, &step))
        return NULL;
    if (step < 1) {
        PyErr_SetString(PyExc_ValueError, "expected a step of at least 1");
        return NULL;
    }
    if (open_plane(source, &rgb, 3) < 0)
        return NULL;
    uint64_t sums[3] = {0, 0, 0}, count = 0;
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t row = step / 2; row < rgb.rows; row += step) {
        add_colours(rgb.data + row * rgb.row_step, rgb.columns, sums);
        count += (uint64_t)rgb.columns;
    }
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&rgb.view);
    return Py_BuildValue("KKKK", sums[0], sums[1], sums[2], count);
}

/* ---- the outer frame */

VECTORISED static void add_levels(const uint8_t *row, Py_ssize_t size, uint64_t sums[2])
{
    for (Py_ssize_t start = 0; start < size; start += CHUNK) {
        Py_ssize_t end = size - start < CHUNK ? size : start + CHUNK;
        int32_t total = 0, squares = 0;
        for (Py_ssize_t i = start; i < end; i++) {
            int16_t level = row[i];
            total += level;
            squares += level * level;
        }
        sums[0] += (uint32_t)total;
        sums[1] += (uint32_t)squares;
    }
}

static PyObject *edge(PyObject *self, PyObject *arguments)
{
    PyObject *source;
    Py_ssize_t depth;
    Plane plane;
    if (!PyArg_ParseTuple(arguments, "On", &source, &depth) || open_rows(source, &plane) < 0)
        return NULL;
    Py_ssize_t rows = plane.rows, columns = plane.columns;
    if (depth < 1 || depth > rows || depth > columns) {
        PyBuffer_Release(&plane.view);
        PyErr_SetString(PyExc_ValueError, "expected a depth from 1 to the shorter side");
        return NULL;
    }
    uint64_t sums[2] = {0, 0}, count = 2 * (uint64_t)depth * (uint64_t)(rows + columns);
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t row = 0; row < rows; row++) {
        const uint8_t *data = plane.data + row * plane.row_step;
        if (row < depth)
            add_levels(data, columns, sums);
        if (row >= rows - depth)
            add_levels(data, columns, sums);
        add_levels(data, depth, sums);
        add_levels(data + columns - depth, depth, sums);
    }
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&plane.view);
    return Py_BuildValue("KKK", count, sums[0], sums[1]);
}

static PyObject *uniform_lines(PyObject *self, PyObject *arguments)
{
    PyObject *source;
    int tolerance, low = 255, high = 0;
    Plane plane;
    if (!PyArg_ParseTuple(arguments, "Oi", &source, &tolerance) || open_plane(source, &plane, 1) < 0)
        return NULL;
    Py_ssize_t lines = 0, columns = plane.columns, step = plane.column_step;
    const uint8_t *data = plane.data;
    Py_BEGIN_ALLOW_THREADS
    if (abs(data[0] - data[columns / 2 * step]) > tolerance)
        high = 256 + tolerance; /* most images, at a glance */
    for (Py_ssize_t i = 0; i < columns && high - low <= tolerance; i++) {
        int level = data[i * step];
        low = level < low ? level : low;
        high = level > high ? level : high;
    }
    if (high - low <= tolerance)
        for (int alike = 1; lines < plane.rows; lines++) {
            const uint8_t *line = data + lines * plane.row_step;
            for (Py_ssize_t i = 0; i < columns && alike; i++)
                alike = line[i * step] >= high - tolerance && line[i * step] <= low + tolerance;
            if (!alike)
                break;
        }
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&plane.view);
    return Py_BuildValue("ni", lines, lines ? (low + high) / 2 : 0);
}

/* ---- bands: focus, noise, blocks */

typedef struct {
    Plane plane;
    Py_buffer buffer;
    const int64_t *tops;
    Py_ssize_t count;
} Bands;

static void close_bands(Bands *bands)
{
    PyBuffer_Release(&bands->buffer);
    PyBuffer_Release(&bands->plane.view);
}

/* Opens (plane, first rows of its bands of 17 rows). */
static int open_bands(PyObject *arguments, Bands *bands)
{
    PyObject *source;
    if (!PyArg_ParseTuple(arguments, "Oy*", &source, &bands->buffer))
        return -1;
    if (open_rows(source, &bands->plane) < 0) {
        PyBuffer_Release(&bands->buffer);
        return -1;
    }
    bands->tops = bands->buffer.buf;
    bands->count = bands->buffer.len / (Py_ssize_t)sizeof(int64_t);
    int fits = bands->count > 0 && bands->plane.columns >= ROWS;
    for (Py_ssize_t i = 0; fits && i < bands->count; i++)
        fits = bands->tops[i] >= 0 && bands->tops[i] <= bands->plane.rows - ROWS;
    if (!fits) {
        close_bands(bands);
        PyErr_SetString(PyExc_ValueError, "expected bands of 17 rows within the plane, 17 wide");
        return -1;
    }
    return 0;
}

INLINED const uint8_t *row_of(const Bands *bands, Py_ssize_t band, int row)
{
    return bands->plane.data + (bands->tops[band] + row) * bands->plane.row_step;
}

/* The sum of squared differences. */
INLINED uint64_t distance(const uint8_t *first, const uint8_t *second, Py_ssize_t size)
{
    uint64_t total = 0;
    for (Py_ssize_t start = 0; start < size; start += CHUNK) {
        Py_ssize_t end = size - start < CHUNK ? size : start + CHUNK;
        int32_t squares = 0;
        for (Py_ssize_t i = start; i < end; i++) {
            int16_t step = (int16_t)(first[i] - second[i]);
            squares += step * step;
        }
        total += (uint32_t)squares;
    }
    return total;
}

VECTORISED static void add_steps(const Bands *bands, uint64_t sums[6])
{
    Py_ssize_t width = bands->plane.columns;
    for (Py_ssize_t band = 0; band < bands->count; band++)
        for (int row = 0; row < ROWS; row++) {
            const uint8_t *data = row_of(bands, band, row);
            sums[0] += distance(data, data + 1, width - 1);
            sums[4] += distance(data, data + FAR, width - FAR);
            if (row + 1 < ROWS)
                sums[1] += distance(data, row_of(bands, band, row + 1), width);
            if (row + FAR < ROWS)
                sums[5] += distance(data, row_of(bands, band, row + FAR), width);
            if (row % 6 == 0 && row + 1 < ROWS) {
                const uint8_t *next = row_of(bands, band, row + 1);
                sums[2] += distance(data, next + 1, width - 1);
                sums[3] += distance(data + 1, next, width - 1);
            }
        }
}

static PyObject *steps(PyObject *self, PyObject *arguments)
{
    Bands bands;
    if (open_bands(arguments, &bands) < 0)
        return NULL;
    uint64_t sums[6] = {0, 0, 0, 0, 0, 0};
    Py_BEGIN_ALLOW_THREADS
    add_steps(&bands, sums);
    Py_END_ALLOW_THREADS
    close_bands(&bands);
    return Py_BuildValue("KKKKKK", sums[0], sums[1], sums[2], sums[3], sums[4], sums[5]);
}

/* Half to even, as the mean of an area is rounded. */
INLINED int rounded(uint32_t value, int bits)
{
    uint32_t half = 1u << (bits - 1), rest = value & ((1u << bits) - 1), whole = value >> bits;
    return (int)(whole + (rest > half || (rest == half && (whole & 1))));
}

/* Of eight rows from `row`: by column the sums of the mixed differences' sizes and of the levels. */
VECTORISED static void add_mixed(const Bands *bands, Py_ssize_t band, int row, Py_ssize_t width,
                                 uint16_t *restrict mixed, uint16_t *restrict levels)
{
    memset(mixed, 0, (size_t)width * sizeof *mixed);
    memset(levels, 0, (size_t)width * sizeof *levels);
    for (int i = row; i < row + BLOCK; i++) {
        const uint8_t *here = row_of(bands, band, i), *next = row_of(bands, band, i + 1);
        for (Py_ssize_t x = 0; x < width; x++) {
            int16_t step = (int16_t)(next[x + 1] - next[x] - here[x + 1] + here[x]);
            mixed[x] = (uint16_t)(mixed[x] + (step < 0 ? -step : step));
            levels[x] = (uint16_t)(levels[x] + here[x]);
        }
    }
}

/* The value of a rank among `values`, which are below 2^14. */
static int select_rank(const uint16_t *values, Py_ssize_t count, Py_ssize_t rank)
{
    Py_ssize_t coarse[128] = {0}, fine[128] = {0}, below = 0;
    int high = 0, low = 0;
    for (Py_ssize_t i = 0; i < count; i++)
        coarse[values[i] >> 7]++;
    while (high < 127 && below + coarse[high] <= rank)
        below += coarse[high++];
    for (Py_ssize_t i = 0; i < count; i++)
        if (values[i] >> 7 == high)
            fine[values[i] & 127]++;
    while (low < 127 && below + fine[low] <= rank)
        below += fine[low++];
    return high * 128 + low;
}

/* The open blocks' means of mixed differences, in sixteenths of a level; how many there are. */
static Py_ssize_t open_blocks(const Bands *bands, int clipped, uint16_t *mixed, uint16_t *levels,
                              uint16_t *means)
{
    Py_ssize_t across = (bands->plane.columns - 1) / BLOCK, count = 0;
    for (Py_ssize_t band = 0; band < bands->count; band++)
        for (int row = 0; row + BLOCK < ROWS; row += BLOCK) {
            add_mixed(bands, band, row, across * BLOCK, mixed, levels);
            for (Py_ssize_t block = 0; block < across; block++) {
                uint32_t difference = 0, level = 0;
                for (int i = 0; i < BLOCK; i++) {
                    difference += mixed[block * BLOCK + i];
                    level += levels[block * BLOCK + i];
                }
                int mean = rounded(level, 6);
                if (mean > clipped && mean < 255 - clipped)
                    means[count++] = (uint16_t)rounded(difference, 2);
            }
        }
    return count;
}

static PyObject *quiet_blocks(PyObject *self, PyObject *arguments)
{
    PyObject *source, *tops, *rest;
    int clipped;
    double low, high;
    Bands bands;
    if (!PyArg_ParseTuple(arguments, "OOidd", &source, &tops, &clipped, &low, &high))
        return NULL;
    rest = Py_BuildValue("OO", source, tops);
    if (!rest)
        return NULL;
    int opened = open_bands(rest, &bands);
    Py_DECREF(rest);
    if (opened < 0)
        return NULL;
    size_t width = (size_t)bands.plane.columns;
    uint16_t *memory = malloc(sizeof *memory * width * (2 + 2 * (size_t)bands.count));
    if (!memory) {
        close_bands(&bands);
        return PyErr_NoMemory();
    }
    Py_ssize_t count;
    int lower = 0, upper = 0;
    Py_BEGIN_ALLOW_THREADS
    count = open_blocks(&bands, clipped, memory, memory + width, memory + 2 * width);
    if (count) {
        lower = select_rank(memory + 2 * width, count, (Py_ssize_t)((double)count * low));
        upper = select_rank(memory + 2 * width, count, (Py_ssize_t)((double)count * high));
    }
    Py_END_ALLOW_THREADS
    free(memory);
    close_bands(&bands);
    return Py_BuildValue("nii", count, lower, upper);
}

VECTORISED static void add_columns(const Bands *bands, Py_ssize_t band, uint16_t *restrict steps)
{
    Py_ssize_t width = bands->plane.columns - 1;
    memset(steps, 0, (size_t)width * sizeof *steps);
    for (int row = 0; row < ROWS; row++) {
        const uint8_t *data = row_of(bands, band, row);
        for (Py_ssize_t x = 0; x < width; x++) {
            int16_t step = (int16_t)(data[x + 1] - data[x]);
            steps[x] = (uint16_t)(steps[x] + (step < 0 ? -step : step));
        }
    }
}

VECTORISED static uint64_t total_step(const uint8_t *first, const uint8_t *second, Py_ssize_t size)
{
    uint64_t total = 0;
    for (Py_ssize_t start = 0; start < size; start += CHUNK) {
        Py_ssize_t end = size - start < CHUNK ? size : start + CHUNK;
        uint32_t sum = 0;
        for (Py_ssize_t i = start; i < end; i++)
            sum += (uint32_t)abs(first[i] - second[i]);
        total += sum;
    }
    return total;
}

/* A sum of which the two largest terms are known. */
typedef struct {
    uint64_t total, largest, second;
} Sum;

INLINED void add_term(Sum *sum, uint64_t term)
{
    sum->total += term;
    if (term > sum->largest) {
        sum->second = sum->largest;
        sum->largest = term;
    } else if (term > sum->second)
        sum->second = term;
}

/* The sums (8), without the two largest terms where three or more, without one where two. */
static PyObject *without_largest(const Sum sums[BLOCK], Py_ssize_t terms)
{
    PyObject *kept = PyTuple_New(BLOCK);
    for (int i = 0; kept && i < BLOCK; i++) {
        uint64_t total = sums[i].total - (terms > 1 ? sums[i].largest : 0)
            - (terms > 2 ? sums[i].second : 0);
        PyObject *value = PyLong_FromUnsignedLongLong(total);
        if (!value || PyTuple_SetItem(kept, i, value) < 0) {
            Py_DECREF(kept);
            return NULL;
        }
    }
    return kept;
}

static PyObject *block_steps(PyObject *self, PyObject *arguments)
{
    Bands bands;
    if (open_bands(arguments, &bands) < 0)
        return NULL;
    Py_ssize_t width = bands.plane.columns;
    Sum rows[BLOCK], columns[BLOCK];
    memset(rows, 0, sizeof rows);
    memset(columns, 0, sizeof columns);
    uint16_t *band_steps = malloc(sizeof *band_steps * (size_t)width);
    uint32_t *all_steps = calloc((size_t)width, sizeof *all_steps);
    if (!band_steps || !all_steps) {
        free(band_steps);
        free(all_steps);
        close_bands(&bands);
        return PyErr_NoMemory();
    }
    Py_BEGIN_ALLOW_THREADS
    for (Py_ssize_t band = 0; band < bands.count; band++) {
        for (int row = 0; row + 1 < ROWS; row++)
            add_term(&rows[row % BLOCK],
                     total_step(row_of(&bands, band, row), row_of(&bands, band, row + 1), width));
        add_columns(&bands, band, band_steps);
        for (Py_ssize_t x = 0; x + 1 < width; x++)
            all_steps[x] += band_steps[x];
    }
    for (Py_ssize_t x = 0; x < (width - 1) / BLOCK * BLOCK; x++)
        add_term(&columns[x % BLOCK], all_steps[x]);
    Py_END_ALLOW_THREADS
    free(band_steps);
    free(all_steps);
    PyObject *of_rows = without_largest(rows, 2 * bands.count);
    PyObject *of_columns = without_largest(columns, (width - 1) / BLOCK);
    close_bands(&bands);
    if (!of_rows || !of_columns) {
        Py_XDECREF(of_rows);
        Py_XDECREF(of_columns);
        return NULL;
    }
    return Py_BuildValue("NN", of_rows, of_columns);
}

/* ---- the thumb and what is made of it */

/* Weights of 32 outputs, in two parts of 16 bits so that products of 16 bits serve. */
typedef struct {
    const int32_t *first, *whole;
    int16_t *high, *low;
    Py_ssize_t taps, padded;
} Weights;

static int read_weights(const Py_buffer *first, const Py_buffer *whole, Py_ssize_t size, Weights *weights)
{
    weights->first = first->buf;
    weights->whole = whole->buf;
    weights->taps = whole->len / (SIDE * (Py_ssize_t)sizeof(int32_t));
    weights->padded = (weights->taps + LANES - 1) / LANES * LANES;
    int fits = first->len == SIDE * (Py_ssize_t)sizeof(int32_t) && weights->taps > 0
        && whole->len == weights->taps * SIDE * (Py_ssize_t)sizeof(int32_t);
    for (int out = 0; fits && out < SIDE; out++) {
        int64_t total = 0;
        for (Py_ssize_t k = 0; k < weights->taps; k++)
            total += llabs((long long)weights->whole[out * weights->taps + k]);
        fits = weights->first[out] >= 0 && weights->first[out] <= size - weights->taps
            && total < (int64_t)1 << (PRECISION + 1);
    }
    if (!fits)
        PyErr_SetString(PyExc_ValueError, "expected 32 places and weights that fit the plane");
    return fits ? 0 : -1;
}

static void split_weights(Weights *weights)
{
    for (int out = 0; out < SIDE; out++)
        for (Py_ssize_t k = 0; k < weights->padded; k++) {
            int32_t weight = k < weights->taps ? weights->whole[out * weights->taps + k] : 0;
            int32_t low = weight & ((1 << LOW_BITS) - 1);
            weights->high[out * weights->padded + k] = (int16_t)((weight - low) / (1 << LOW_BITS));
            weights->low[out * weights->padded + k] = (int16_t)low;
        }
}

INLINED uint8_t as_level(int32_t sum)
{
    int32_t level = (sum + (1 << (PRECISION - 1))) >> PRECISION;
    return (uint8_t)(level < 0 ? 0 : level > 255 ? 255 : level);
}

VECTORISED static void widen(const uint8_t *restrict row, Py_ssize_t width, int16_t *restrict wide)
{
    for (Py_ssize_t x = 0; x < width; x++)
        wide[x] = row[x];
}

/* Reduces one row, as 16-bit numbers followed by `LANES` zeros, to 32 levels. */
VECTORISED static void narrow_row(const Weights *weights, const int16_t *restrict wide,
                                  uint8_t *restrict out)
{
    for (int place = 0; place < SIDE; place++) {
        const int16_t *pixels = wide + weights->first[place];
        const int16_t *high = weights->high + place * weights->padded;
        const int16_t *low = weights->low + place * weights->padded;
        int32_t upper = 0, lower = 0;
        for (Py_ssize_t k = 0; k < weights->padded; k++) {
            upper += pixels[k] * high[k];
            lower += pixels[k] * low[k];
        }
        out[place] = as_level(upper * (1 << LOW_BITS) + lower);
    }
}

#ifdef WITH_AVX2
/* As `narrow_row`, four rows at once, each `stride` numbers after the one before. */
WITH_AVX2 static void narrow_four_rows(const Weights *weights, const int16_t *wide, Py_ssize_t stride,
                                       uint8_t *out)
{
    const __m256i zero = _mm256_setzero_si256();
    for (int place = 0; place < SIDE; place++) {
        const int16_t *pixels = wide + weights->first[place];
        const int16_t *high = weights->high + place * weights->padded;
        const int16_t *low = weights->low + place * weights->padded;
        __m256i upper[4] = {zero, zero, zero, zero}, lower[4] = {zero, zero, zero, zero};
        for (Py_ssize_t k = 0; k < weights->padded; k += LANES) {
            __m256i of_high = _mm256_loadu_si256((const __m256i *)(high + k));
            __m256i of_low = _mm256_loadu_si256((const __m256i *)(low + k));
            for (int row = 0; row < 4; row++) {
                __m256i part = _mm256_loadu_si256((const __m256i *)(pixels + row * stride + k));
                upper[row] = _mm256_add_epi32(upper[row], _mm256_madd_epi16(part, of_high));
                lower[row] = _mm256_add_epi32(lower[row], _mm256_madd_epi16(part, of_low));
            }
        }
        for (int row = 0; row < 4; row++)
            upper[row] = _mm256_add_epi32(_mm256_slli_epi32(upper[row], LOW_BITS), lower[row]);
        __m256i pairs = _mm256_hadd_epi32(_mm256_hadd_epi32(upper[0], upper[1]),
                                          _mm256_hadd_epi32(upper[2], upper[3]));
        __m128i sums = _mm_add_epi32(_mm256_castsi256_si128(pairs), _mm256_extracti128_si256(pairs, 1));
        sums = _mm_srai_epi32(_mm_add_epi32(sums, _mm_set1_epi32(1 << (PRECISION - 1))), PRECISION);
        sums = _mm_packus_epi16(_mm_packs_epi32(sums, sums), sums); /* clipped to 0 to 255 */
        uint32_t levels = (uint32_t)_mm_cvtsi128_si32(sums);
        for (int row = 0; row < 4; row++)
            out[row * SIDE + place] = (uint8_t)(levels >> (8 * row));
    }
}
#endif

/* Reduces each row to 32 levels; `wide` holds four rows, each followed by `LANES` zeros. */
static void narrow_rows(const Plane *plane, const Weights *weights, int16_t *wide, uint8_t *out)
{
    Py_ssize_t stride = plane->columns + LANES, row = 0;
#ifdef WITH_AVX2
    for (; __builtin_cpu_supports("avx2") && row + 4 <= plane->rows; row += 4) {
        for (int i = 0; i < 4; i++)
            widen(plane->data + (row + i) * plane->row_step, plane->columns, wide + i * stride);
        narrow_four_rows(weights, wide, stride, out + row * SIDE);
    }
#endif
    for (; row < plane->rows; row++) {
        widen(plane->data + row * plane->row_step, plane->columns, wide);
        narrow_row(weights, wide, out + row * SIDE);
    }
}

VECTORISED static void shorten(const Weights *weights, const uint8_t *restrict narrow, uint8_t *restrict out)
{
    for (int place = 0; place < SIDE; place++) {
        int32_t sums[SIDE] = {0};
        for (Py_ssize_t k = 0; k < weights->taps; k++) {
            const uint8_t *row = narrow + (weights->first[place] + k) * SIDE;
            int32_t weight = weights->whole[place * weights->taps + k];
            for (int x = 0; x < SIDE; x++)
                sums[x] += weight * row[x];
        }
        for (int x = 0; x < SIDE; x++)
            out[place * SIDE + x] = as_level(sums[x]);
    }
}

static int reduce_plane(const Plane *plane, Weights *across, const Weights *down, uint8_t *out)
{
    size_t weights = (size_t)(SIDE * across->padded), width = (size_t)plane->columns;
    int16_t *memory = calloc(2 * weights + 4 * (width + LANES), sizeof *memory);
    uint8_t *narrow = malloc((size_t)plane->rows * SIDE);
    int held = memory && narrow;
    if (held) {
        across->high = memory;
        across->low = memory + weights;
        split_weights(across);
        narrow_rows(plane, across, memory + 2 * weights, narrow);
        shorten(down, narrow, out);
    }
    free(memory);
    free(narrow);
    return held ? 0 : -1;
}

static PyObject *reduce(PyObject *self, PyObject *arguments)
{
    PyObject *source, *result = NULL;
    Py_buffer given[4];
    Plane plane;
    if (!PyArg_ParseTuple(arguments, "O(y*y*)(y*y*)", &source, &given[0], &given[1], &given[2],
                          &given[3]))
        return NULL;
    if (open_rows(source, &plane) == 0) {
        Weights across, down;
        uint8_t thumb[SIDE * SIDE];
        if (read_weights(&given[0], &given[1], plane.columns, &across) == 0
            && read_weights(&given[2], &given[3], plane.rows, &down) == 0) {
            int reduced;
            Py_BEGIN_ALLOW_THREADS
            reduced = reduce_plane(&plane, &across, &down, thumb);
            Py_END_ALLOW_THREADS
            result = reduced < 0 ? PyErr_NoMemory() : bytes_of(thumb, sizeof thumb);
        }
        PyBuffer_Release(&plane.view);
    }
    for (int i = 0; i < 4; i++)
        PyBuffer_Release(&given[i]);
    return result;
}

/* Opens a thumb: 32 x 32 bytes, one after the other. */
static const uint8_t *open_thumb(PyObject *argument, Py_buffer *view)
{
    if (PyObject_GetBuffer(argument, view, PyBUF_SIMPLE) < 0)
        return NULL;
    if (view->len == SIDE * SIDE)
        return view->buf;
    PyBuffer_Release(view);
    PyErr_SetString(PyExc_ValueError, "expected a thumb of 32 x 32 bytes");
    return NULL;
}

#define WINDOW 128 /* pixels of a window of the spectrum */

static double turns[WINDOW / 2][2]; /* cosine and sine of the steps of a Fourier transform */
static double cosines[BLOCK][SIDE];
static double pool[CELLS][SIDE]; /* whole numbers, in 2^14ths */

static void fill_tables(void)
{
    const double pi = 3.14159265358979323846;
    for (int k = 0; k < BLOCK; k++)
        for (int n = 0; n < SIDE; n++)
            cosines[k][n] = 2 * cos(pi * (2 * n + 1) * k / (2 * SIDE));
    for (int n = 0; n < WINDOW / 2; n++) {
        turns[n][0] = cos(2 * pi * n / WINDOW);
        turns[n][1] = -sin(2 * pi * n / WINDOW);
    }
    for (int cell = 0; cell < CELLS; cell++) {
        double width = (double)SIDE / CELLS, centre = (cell + 0.5) * width, line[SIDE], total = 0;
        for (int n = 0; n < SIDE; n++) {
            line[n] = fmax(0, 1 - fabs(n + 0.5 - centre) / width);
            total += line[n];
        }
        for (int n = 0; n < SIDE; n++)
            pool[cell][n] = rint(line[n] / total * 0x1p14);
    }
}

/* The 64 lowest coefficients of the DCT, in millionths, rounded. */
VECTORISED static void transform(const uint8_t *thumb, int64_t low[BLOCK * BLOCK])
{
    for (int u = 0; u < BLOCK; u++) {
        double row[SIDE] = {0};
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                row[x] += cosines[u][y] * thumb[y * SIDE + x];
        for (int v = 0; v < BLOCK; v++) {
            double sum = 0;
            for (int x = 0; x < SIDE; x++)
                sum += row[x] * cosines[v][x];
            low[u * BLOCK + v] = (int64_t)rint(sum * 1e6);
        }
    }
}

/* Which of the 64 are above their median, mirrored upside down and left to right. */
VECTORISED static void compare_with_median(const int64_t *low, int upside, int mirrored, uint8_t above[64])
{
    int64_t values[64], lower = 0, upper = 0;
    for (int i = 0; i < 64; i++)
        values[i] = low[i] * (1 - 2 * ((i / 8 * upside + i % 8 * mirrored) & 1));
    for (int i = 0; i < 64; i++) {
        int64_t less = 0, equal = 0; /* sorted, the value's places begin after those that are less */
        for (int k = 0; k < 64; k++) {
            less += values[k] < values[i];
            equal += values[k] == values[i];
        }
        lower = less <= 31 && less + equal > 31 ? values[i] : lower;
        upper = less <= 32 && less + equal > 32 ? values[i] : upper;
    }
    for (int i = 0; i < 64; i++)
        above[i] = 2 * values[i] > lower + upper;
}

static PyObject *hashes(PyObject *self, PyObject *argument)
{
    Py_buffer view;
    const uint8_t *thumb = open_thumb(argument, &view);
    if (!thumb)
        return NULL;
    int64_t low[64];
    uint8_t above[4][64];
    uint64_t found[8] = {0};
    Py_BEGIN_ALLOW_THREADS
    transform(thumb, low);
    for (int k = 0; k < 4; k++)
        compare_with_median(low, k >> 1, k & 1, above[k]);
    for (int i = 0; i < 64; i++)
        for (int k = 0; k < 4; k++) {
            /* Transposing swaps the mirrorings too. */
            int swapped = (k & 1) << 1 | k >> 1;
            found[k] = found[k] << 1 | above[k][i];
            found[4 + k] = found[4 + k] << 1 | above[swapped][i % 8 * 8 + i / 8];
        }
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&view);
    return bytes_of(found, sizeof found);
}

/* Strength of the gradient in each direction, whole numbers in 4096ths of a level. */
VECTORISED static void fill_gradients(const uint8_t *thumb, double strength[DIRECTIONS][SIDE * SIDE])
{
    static const double right[DIRECTIONS] = {1, 0.7071067811865476, 0, -0.7071067811865476,
                                             -1, -0.7071067811865476, 0, 0.7071067811865476};
    double across[SIDE * SIDE] = {0}, down[SIDE * SIDE] = {0}, taken[SIDE * SIDE];
    for (int y = 0; y < SIDE; y++)
        for (int x = 1; x < SIDE - 1; x++)
            across[y * SIDE + x] = thumb[y * SIDE + x + 1] - thumb[y * SIDE + x - 1];
    for (int i = SIDE; i < SIDE * (SIDE - 1); i++)
        down[i] = thumb[i + SIDE] - thumb[i - SIDE];
    for (int i = 0; i < SIDE * SIDE; i++)
        taken[i] = 0.3 * sqrt(across[i] * across[i] + down[i] * down[i]);
    for (int k = 0; k < DIRECTIONS; k++) {
        double x = right[k], y = right[(k + 6) % DIRECTIONS];
        for (int i = 0; i < SIDE * SIDE; i++) {
            int32_t part = (int32_t)((x * across[i] + y * down[i] - taken[i]) * 4096 + 0.5);
            strength[k][i] = part > 0 ? part : 0;
        }
    }
}

/* (6, 6, 8) sums of the strengths, weighted, in 2^40ths of a level; exact, as sums of whole numbers
 * below 2^53 are. */
VECTORISED static void fill_cells(double strength[DIRECTIONS][SIDE * SIDE],
                                  double cells[CELLS * CELLS][DIRECTIONS])
{
    for (int row = 0; row < CELLS; row++) {
        double sums[DIRECTIONS][SIDE] = {{0}}, turned[SIDE][DIRECTIONS];
        for (int y = 0; y < SIDE; y++)
            for (int k = 0; k < DIRECTIONS && pool[row][y] > 0; k++)
                for (int x = 0; x < SIDE; x++)
                    sums[k][x] += pool[row][y] * strength[k][y * SIDE + x];
        for (int x = 0; x < SIDE; x++)
            for (int k = 0; k < DIRECTIONS; k++)
                turned[x][k] = sums[k][x];
        for (int column = 0; column < CELLS; column++) {
            double sum[DIRECTIONS] = {0};
            for (int x = 0; x < SIDE; x++)
                if (pool[column][x] > 0)
                    for (int k = 0; k < DIRECTIONS; k++)
                        sum[k] += pool[column][x] * turned[x][k];
            memcpy(cells[row * CELLS + column], sum, sizeof sum);
        }
    }
}

VECTORISED static void pack_cells(double cells[CELLS * CELLS][DIRECTIONS], uint8_t *packed)
{
    for (int cell = 0; cell < CELLS * CELLS; cell++) {
        double parts[DIRECTIONS], squares = 0;
        for (int k = 0; k < DIRECTIONS; k++) {
            parts[k] = floor(cells[cell][k] * 0x1p-24 + 0.5);
            squares += parts[k] * parts[k];
        }
        double length = sqrt(squares) + 0x1p16;
        for (int k = 0; k < DIRECTIONS; k++)
            parts[k] = rint(sqrt(parts[k] / length) * 15);
        for (int k = 0; k < DIRECTIONS; k += 2)
            packed[(cell * DIRECTIONS + k) / 2] = (uint8_t)((int)parts[k] << 4 | (int)parts[k + 1]);
    }
}

static PyObject *sketch(PyObject *self, PyObject *argument)
{
    Py_buffer view;
    const uint8_t *thumb = open_thumb(argument, &view);
    if (!thumb)
        return NULL;
    double strength[DIRECTIONS][SIDE * SIDE];
    double cells[CELLS * CELLS][DIRECTIONS];
    uint8_t packed[CELLS * CELLS * DIRECTIONS / 2];
    Py_BEGIN_ALLOW_THREADS
    fill_gradients(thumb, strength);
    fill_cells(strength, cells);
    pack_cells(cells, packed);
    Py_END_ALLOW_THREADS
    PyBuffer_Release(&view);
    return bytes_of(packed, sizeof packed);
}

static PyObject *pack(PyObject *self, PyObject *argument)
{
    Py_buffer view;
    const uint8_t *thumb = open_thumb(argument, &view);
    if (!thumb)
        return NULL;
    uint8_t low = 255, high = 0, packed[SIDE * SIDE / 2];
    for (int i = 0; i < SIDE * SIDE; i++) {
        low = thumb[i] < low ? thumb[i] : low;
        high = thumb[i] > high ? thumb[i] : high;
    }
    double scale = 15.0 / (high > low ? high - low : 1);
    for (int i = 0; i < SIDE * SIDE; i += 2)
        packed[i / 2] = (uint8_t)((int)rint((thumb[i] - low) * scale) << 4
                                  | (int)rint((thumb[i + 1] - low) * scale));
    PyBuffer_Release(&view);
    return bytes_of(packed, sizeof packed);
}

/* ---- spectrum */

#define PAIRS 4    /* pairs of windows that are transformed together, each pair as one complex one */

INLINED void turn_pair(double cosine, double sine, double *restrict a, double *restrict b,
                       double *restrict c, double *restrict d)
{
    for (int k = 0; k < PAIRS; k++) {
        double x = b[k] * cosine - d[k] * sine, y = b[k] * sine + d[k] * cosine;
        b[k] = a[k] - x;
        d[k] = c[k] - y;
        a[k] += x;
        c[k] += y;
    }
}

/* The Fourier transform of `PAIRS` complex windows, whose pixels are in bit-reversed order. */
INLINED void transform_pairs(double real[WINDOW][PAIRS], double imaginary[WINDOW][PAIRS])
{
    for (int half = 1; half < WINDOW; half *= 2)
        for (int start = 0; start < WINDOW; start += 2 * half)
            for (int i = 0; i < half; i++) {
                const double *turn = turns[i * (WINDOW / 2 / half)];
                turn_pair(turn[0], turn[1], real[start + i], real[start + i + half],
                          imaginary[start + i], imaginary[start + i + half]);
            }
}

/* Adds the power in each bin of up to `2 * PAIRS` windows, of neighbouring rows. */
VECTORISED static void add_powers(const Plane *plane, Py_ssize_t top, Py_ssize_t rows, Py_ssize_t left,
                                  const double *weights, double powers[WINDOW / 2])
{
    double real[WINDOW][PAIRS] = {{0}}, imaginary[WINDOW][PAIRS] = {{0}};
    for (int x = 0, place = 0; x < WINDOW; x++) {
        const uint8_t *pixel = plane->data + top * plane->row_step + (left + x) * plane->column_step;
        for (Py_ssize_t row = 0; row < rows; row++)
            (row % 2 ? imaginary : real)[place][row / 2] = pixel[row * plane->row_step] * weights[x];
        int bit = WINDOW / 2; /* `place` is `x` with its bits reversed */
        for (; place & bit; bit /= 2)
            place ^= bit;
        place |= bit;
    }
    transform_pairs(real, imaginary);
    /* Of the transform of a + ib, bins n and -n have together twice the power of both at n. */
    for (int n = 0; n < WINDOW / 2; n++) {
        const double *a = real[n], *b = imaginary[n];
        const double *c = real[(WINDOW - n) % WINDOW], *d = imaginary[(WINDOW - n) % WINDOW];
        for (int k = 0; k < PAIRS; k++)
            powers[n] += (a[k] * a[k] + b[k] * b[k] + c[k] * c[k] + d[k] * d[k]) / 2;
    }
}

static PyObject *powers(PyObject *self, PyObject *arguments)
{
    enum { PLACES = 8 };
    PyObject *source;
    Py_buffer weights;
    Plane plane;
    double sums[WINDOW / 2] = {0};
    if (!PyArg_ParseTuple(arguments, "Oy*", &source, &weights))
        return NULL;
    if (open_plane(source, &plane, 1) < 0) {
        PyBuffer_Release(&weights);
        return NULL;
    }
    int fits = plane.columns >= WINDOW && weights.len == WINDOW * (Py_ssize_t)sizeof(double);
    if (fits) {
        Py_ssize_t rows = plane.rows < 2 * PAIRS ? plane.rows : 2 * PAIRS;
        Py_BEGIN_ALLOW_THREADS
        for (int place = 0; place < PLACES; place++) {
            Py_ssize_t top = (plane.rows - rows) * place / (PLACES - 1);
            Py_ssize_t left = (plane.columns - WINDOW) * (3 * place % PLACES) / (PLACES - 1);
            add_powers(&plane, top, rows, left, weights.buf, sums);
        }
        for (int n = 0; n < WINDOW / 2; n++)
            sums[n] /= (double)(PLACES * rows);
        Py_END_ALLOW_THREADS
    } else
        PyErr_SetString(PyExc_ValueError, "expected rows of at least 128 bytes, and 128 weights");
    PyBuffer_Release(&plane.view);
    PyBuffer_Release(&weights);
    return fits ? bytes_of(sums, sizeof sums) : NULL;
}

/* ---- patches */

static PyObject *patches(PyObject *self, PyObject *arguments)
{
    enum { EDGE = 6, PLACES = 5 };
    PyObject *source;
    Plane rgb;
    if (!PyArg_ParseTuple(arguments, "O", &source) || open_plane(source, &rgb, 3) < 0)
        return NULL;
    Py_ssize_t bottom = rgb.rows - EDGE, right = rgb.columns - EDGE;
    uint16_t colours[PLACES][EDGE * EDGE];
    if (bottom < 0 || right < 0) {
        PyBuffer_Release(&rgb.view);
        PyErr_SetString(PyExc_ValueError, "expected at least 6 x 6 pixels");
        return NULL;
    }
    const Py_ssize_t tops[PLACES] = {0, 0, bottom, bottom, bottom / 2};
    const Py_ssize_t lefts[PLACES] = {0, right, 0, right, right / 2};
    for (int place = 0; place < PLACES; place++)
        for (int i = 0; i < EDGE * EDGE; i++) {
            const uint8_t *pixel = rgb.data + (tops[place] + i / EDGE) * rgb.row_step
                + 3 * (lefts[place] + i % EDGE);
            colours[place][i] = (uint16_t)(pixel[0] >> 3 << 11 | pixel[1] >> 2 << 5 | pixel[2] >> 3);
        }
    PyBuffer_Release(&rgb.view);
    return bytes_of(colours, sizeof colours);
}

/* ---- edges */

#define REACH 6       /* pixels to each side of the neighbourhood whose range is the height of an edge */

#define WIDEST 8.0    /* wider edges are cut off */
#define TILES 5       /* along each side */
#define AROUND 8      /* directions */
#define TANGENTS 4    /* between the directions of a quarter turn */

typedef struct {
    float width;
    int16_t across, down;
    uint8_t tile, direction, unused[2];
} Edge;

typedef struct {
    Edge *found;
    size_t count, room;
    const double *tangents; /* of the borders between directions, from level to upright */
} Edges;

INLINED int slope_across(const uint8_t *above, const uint8_t *here, const uint8_t *below, Py_ssize_t x)
{
    return above[x + 1] - above[x - 1] + 2 * (here[x + 1] - here[x - 1]) + below[x + 1] - below[x - 1];
}

INLINED int slope_down(const uint8_t *above, const uint8_t *below, Py_ssize_t x)
{
    return below[x - 1] - above[x - 1] + 2 * (below[x] - above[x]) + below[x + 1] - above[x + 1];
}

/* Squares of the slopes of a row, from its second pixel to its last but one. */
VECTORISED static void fill_squares(const uint8_t *restrict above, const uint8_t *restrict here,
                                    const uint8_t *restrict below, Py_ssize_t width,
                                    int32_t *restrict squares)
{
    for (Py_ssize_t x = 1; x < width - 1; x++) {
        int16_t across = (int16_t)slope_across(above, here, below, x);
        int16_t down = (int16_t)slope_down(above, below, x);
        squares[x] = across * across + down * down;
    }
}

#define MOST(first, second) ((first) > (second) ? (first) : (second))
#define LEAST(first, second) ((first) < (second) ? (first) : (second))
#define OF_4(what, x) what(what(first[x], second[x]), what(third[x], fourth[x]))

/* The row so far from row `y`, or the outermost one on that side. */
INLINED const uint8_t *row_near(const Plane *plane, Py_ssize_t y, Py_ssize_t distance)
{
    return plane->data + LEAST(MOST(y + distance, 0), plane->rows - 1) * plane->row_step;
}

/* Range of the levels in the 13 x 13 pixels around each of row `y`; `work` has room for 4 rows, each
 * with `REACH` pixels more at both ends. */
VECTORISED static void fill_range(const Plane *plane, Py_ssize_t y, uint8_t *work,
                                  uint8_t *restrict range)
{
    Py_ssize_t width = plane->columns, padded = width + 2 * REACH;
    uint8_t *restrict high = work, *restrict low = work + padded;
    uint8_t *restrict highest = low + padded, *restrict lowest = highest + padded;
    const uint8_t *middle = row_near(plane, y, 0);
    memcpy(high + REACH, middle, (size_t)width);
    memcpy(low + REACH, middle, (size_t)width);
    for (int reach = 1; reach <= REACH; reach += 2) {
        const uint8_t *restrict first = row_near(plane, y, -reach);
        const uint8_t *restrict second = row_near(plane, y, -reach - 1);
        const uint8_t *restrict third = row_near(plane, y, reach);
        const uint8_t *restrict fourth = row_near(plane, y, reach + 1);
        for (Py_ssize_t x = 0; x < width; x++) {
            uint8_t most = OF_4(MOST, x), least = OF_4(LEAST, x);
            high[x + REACH] = MOST(high[x + REACH], most);
            low[x + REACH] = LEAST(low[x + REACH], least);
        }
    }
    memset(high, high[REACH], REACH);
    memset(low, low[REACH], REACH);
    memset(high + REACH + width, high[REACH + width - 1], REACH);
    memset(low + REACH + width, low[REACH + width - 1], REACH);
    /* Of 2, 4 and 8 neighbours from each pixel on; two runs of 8 are the 13. */
    for (Py_ssize_t x = 0; x < padded - 1; x++) {
        highest[x] = MOST(high[x], high[x + 1]);
        lowest[x] = LEAST(low[x], low[x + 1]);
    }
    for (Py_ssize_t x = 0; x < padded - 3; x++) {
        high[x] = MOST(highest[x], highest[x + 2]);
        low[x] = LEAST(lowest[x], lowest[x + 2]);
    }
    for (Py_ssize_t x = 0; x < padded - 7; x++) {
        highest[x] = MOST(high[x], high[x + 4]);
        lowest[x] = LEAST(low[x], low[x + 4]);
    }
    for (Py_ssize_t x = 0; x < width; x++)
        range[x] = (uint8_t)(MOST(highest[x], highest[x + 5]) - LEAST(lowest[x], lowest[x + 5]));
}

/* Which pixels of a row are as steep as all their neighbours, and steep and high enough. */
VECTORISED static void choose(const int32_t *restrict above, const int32_t *restrict here,
                              const int32_t *restrict below, const uint8_t *restrict range,
                              Py_ssize_t from, Py_ssize_t to, int least_height, int32_t least_square,
                              int32_t *restrict steepest, uint8_t *restrict chosen)
{
    for (Py_ssize_t x = from - 1; x < to + 1; x++) {
        int32_t most = above[x] > below[x] ? above[x] : below[x];
        steepest[x] = most > here[x] ? most : here[x];
    }
    for (Py_ssize_t x = from; x < to; x++) {
        int32_t most = steepest[x - 1] > steepest[x + 1] ? steepest[x - 1] : steepest[x + 1];
        most = most > steepest[x] ? most : steepest[x];
        chosen[x] = (uint8_t)((here[x] >= most) & (here[x] >= least_square) & (range[x] >= least_height));
    }
}

/* Which of the eight directions a slope has, each 22.5 degrees wide: 0 level, 4 upright. */
INLINED int direction_of(int across, int down, const double *tangents)
{
    int steps = 0;
    for (int i = 0; i < TANGENTS; i++)
        steps += abs(down) > tangents[i] * abs(across);
    return (across < 0) != (down < 0) ? (AROUND - steps) % AROUND : steps;
}

/* 0, or -1 where there is no memory. */
static int collect_edges(const Plane *plane, Py_ssize_t y, Py_ssize_t from, Py_ssize_t to,
                         const uint8_t *chosen, const uint8_t *range, uint32_t *places, Edges *edges)
{
    const uint8_t *here = plane->data + y * plane->row_step;
    const uint8_t *above = here - plane->row_step, *below = here + plane->row_step;
    if (edges->count + (size_t)(to - from) > edges->room) {
        edges->room = 2 * edges->room + (size_t)(to - from);
        Edge *grown = realloc(edges->found, edges->room * sizeof *grown);
        if (!grown)
            return -1;
        edges->found = grown;
    }
    size_t count = 0;
    for (Py_ssize_t start = from; start < to; start += 8) {
        uint64_t eight = 0;
        Py_ssize_t end = LEAST(start + 8, to);
        memcpy(&eight, chosen + start, (size_t)(end - start));
        for (Py_ssize_t x = start; eight && x < end; x++) {
            places[count] = (uint32_t)x; /* written over where it is not chosen */
            count += chosen[x];
        }
    }
    Py_ssize_t tile = y * TILES / plane->rows * TILES;
    for (size_t i = 0; i < count; i++) {
        Py_ssize_t x = places[i];
        int across = slope_across(above, here, below, x), down = slope_down(above, below, x);
        double width = 4.0 * range[x] / sqrt((double)(across * across + down * down));
        edges->found[edges->count++] = (Edge){
            (float)(width < WIDEST ? width : WIDEST), (int16_t)across, (int16_t)down,
            (uint8_t)(tile + x * TILES / plane->columns),
            (uint8_t)direction_of(across, down, edges->tangents), {0, 0}};
    }
    return 0;
}

static int find_edges(const Plane *plane, Py_ssize_t margin, int least_height, int least_square,
                      Edges *edges)
{
    Py_ssize_t width = plane->columns, padded = width + 2 * REACH;
    int32_t *squares = calloc((size_t)width, 4 * sizeof *squares);
    uint8_t *work = malloc((size_t)padded * 6);
    int failed = !squares || !work;
    for (Py_ssize_t y = margin - 1; !failed && y <= plane->rows - margin; y++) {
        const uint8_t *row = plane->data + y * plane->row_step;
        fill_squares(row - plane->row_step, row, row + plane->row_step, width,
                     squares + y % 3 * width);
        Py_ssize_t middle = y - 1;
        if (middle < margin)
            continue;
        uint8_t *range = work + 4 * padded, *chosen = range + padded;
        fill_range(plane, middle, work, range);
        choose(squares + (middle - 1) % 3 * width, squares + middle % 3 * width,
               squares + y % 3 * width, range, margin, width - margin, least_height, least_square,
               squares + 3 * width, chosen);
        failed = collect_edges(plane, middle, margin, width - margin, chosen, range,
                               (uint32_t *)(squares + 3 * width), edges) < 0;
    }
    free(squares);
    free(work);
    return failed ? -1 : 0;
}

#define DIGIT 11 /* bits that are sorted by at a time */

INLINED uint32_t digit_of(float width, int shift)
{
    uint32_t bits;
    memcpy(&bits, &width, sizeof bits);
    return bits >> shift & ((1 << DIGIT) - 1);
}

/* Put `edges` in the order of their widths, equal ones as they were; 0, or -1 where there is no
 * memory. Positive floating-point numbers are in the order of their bits. */
static int sort_edges(Edges *edges)
{
    Edge *other = malloc(edges->count * sizeof *other + 1);
    if (!other)
        return -1;
    for (int shift = 0; shift < 32; shift += DIGIT) {
        uint32_t ends[1 << DIGIT] = {0}, end = 0;
        for (size_t i = 0; i < edges->count; i++)
            ends[digit_of(edges->found[i].width, shift)]++;
        for (int digit = 0; digit < 1 << DIGIT; digit++)
            ends[digit] = end += ends[digit];
        for (size_t i = edges->count; i-- > 0;)
            other[--ends[digit_of(edges->found[i].width, shift)]] = edges->found[i];
        Edge *sorted = other;
        other = edges->found;
        edges->found = sorted;
    }
    free(other);
    return 0;
}

static PyObject *edges(PyObject *self, PyObject *arguments)
{
    PyObject *source, *borders;
    int margin, least_height, least_square, failed;
    Plane plane;
    Py_buffer tangents;
    if (!PyArg_ParseTuple(arguments, "OiiiO", &source, &margin, &least_height, &least_square, &borders)
        || PyObject_GetBuffer(borders, &tangents, PyBUF_C_CONTIGUOUS) < 0)
        return NULL;
    if (open_rows(source, &plane) < 0) {
        PyBuffer_Release(&tangents);
        return NULL;
    }
    Py_ssize_t shorter = plane.rows < plane.columns ? plane.rows : plane.columns;
    PyObject *result = NULL;
    if (margin < 2 || shorter <= 2 * margin || plane.rows > (Py_ssize_t)UINT32_MAX / plane.columns
        || tangents.len != TANGENTS * (Py_ssize_t)sizeof(double)) {
        PyErr_SetString(PyExc_ValueError,
                        "expected a margin of 2 or more, within the plane, and 4 tangents");
    } else {
        Edges edges = {NULL, 0, 0, tangents.buf};
        Py_BEGIN_ALLOW_THREADS
        failed = find_edges(&plane, margin, least_height, least_square, &edges) < 0
                 || sort_edges(&edges) < 0;
        Py_END_ALLOW_THREADS
        result = failed ? PyErr_NoMemory() : bytes_of(edges.found, edges.count * sizeof(Edge));
        free(edges.found);
    }
    PyBuffer_Release(&plane.view);
    PyBuffer_Release(&tangents);
    return result;
}

enum { ALL, OF_TILES, OF_DIRECTIONS };

typedef struct {
    double width;
    double count;
} Group;

/* Percentile of the widths of sorted edges, and their number, by group; `groups` are all 0. Only edges
 * are asked whose slope along (cosine, sine), squared, is above `limit` of all of it, or below where
 * `side` is -1; all of them where it is 0. */
static void fill_groups(const Edge *edges, size_t count, int by, int percent, int side,
                        const double limits[3], float *widths, uint8_t *number,
                        Group groups[TILES * TILES])
{
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        double across = edges[i].across, down = edges[i].down;
        double along = across * limits[0] + down * limits[1];
        along *= along;
        double limit = limits[2] * (across * across + down * down);
        int asked = !side || (side > 0 ? along > limit : along < limit);
        widths[kept] = edges[i].width; /* written over where it is not asked */
        number[kept] = by == ALL ? 0 : by == OF_TILES ? edges[i].tile : edges[i].direction;
        kept += (size_t)asked;
    }
    int64_t sizes[TILES * TILES] = {0};
    for (size_t i = 0; i < kept; i++)
        sizes[number[i]]++;
    /* Places are counted over all groups, as in one array of them. */
    int64_t below[TILES * TILES], seen[TILES * TILES] = {0}, start = 0;
    double share[TILES * TILES];
    for (int group = 0; group < TILES * TILES; group++) {
        double place = (double)start + (double)((sizes[group] - 1) * percent) / 100.0;
        share[group] = place - (double)(int64_t)place;
        below[group] = (int64_t)place - start;
        start += sizes[group];
        groups[group].count = (double)sizes[group];
    }
    for (size_t i = 0; i < kept; i++) {
        uint8_t group = number[i];
        int64_t place = seen[group]++;
        if (place == below[group])
            groups[group].width = widths[i];
        else if (place == below[group] + 1)
            groups[group].width += share[group] * ((double)widths[i] - groups[group].width);
    }
}

static PyObject *edge_groups(PyObject *self, PyObject *arguments)
{
    PyObject *source;
    Py_buffer view;
    int by, percent, side;
    double limits[3];
    if (!PyArg_ParseTuple(arguments, "Oiiiddd", &source, &by, &percent, &side, &limits[0], &limits[1],
                          &limits[2])
        || PyObject_GetBuffer(source, &view, PyBUF_C_CONTIGUOUS) < 0)
        return NULL;
    static const int numbers[] = {1, TILES * TILES, AROUND};
    const Edge *edges = view.buf;
    size_t count = (size_t)view.len / sizeof *edges;
    int fits = by >= ALL && by <= OF_DIRECTIONS && percent >= 0 && percent < 100
               && view.len % (Py_ssize_t)sizeof *edges == 0;
    for (size_t i = 0; fits && i < count; i++)
        fits = edges[i].tile < TILES * TILES && edges[i].direction < AROUND;
    float *widths = fits ? malloc((count + 1) * (sizeof *widths + 1)) : NULL;
    PyObject *result = NULL;
    if (widths) {
        Group groups[TILES * TILES] = {{0, 0}};
        fill_groups(edges, count, by, percent, side, limits, widths, (uint8_t *)(widths + count + 1),
                    groups);
        result = bytes_of(groups, (size_t)numbers[by] * sizeof *groups);
    } else if (fits) {
        PyErr_NoMemory();
    } else {
        PyErr_SetString(PyExc_ValueError, "expected edges, 0 to 2, and a percentile from 0 to 99");
    }
    free(widths);
    PyBuffer_Release(&view);
    return result;
}

/* ---- slopes and bends */

VECTORISED static void add_bends(const uint8_t *restrict line, Py_ssize_t count, int lag, int least,
                                 int most_slope, int most_bend, uint32_t *restrict slopes,
                                 uint32_t *restrict bends)
{
    for (Py_ssize_t x = 0; x < count; x++) {
        int16_t left = line[x], middle = line[x + lag], right = line[x + 2 * lag];
        int16_t slope = (int16_t)(left > right ? left - right : right - left);
        int16_t bend = (int16_t)(2 * middle - left - right);
        bend = (int16_t)(bend < 0 ? -bend : bend);
        int16_t steep = (int16_t)-(slope >= least);
        slopes[x] += (uint32_t)((slope < most_slope ? slope : most_slope) & steep);
        bends[x] += (uint32_t)((bend < most_bend ? bend : most_bend) & steep);
    }
}

static PyObject *slopes_and_bends(PyObject *self, PyObject *arguments)
{
    PyObject *source;
    int step, lag, least, most_slope, most_bend;
    Plane plane;
    if (!PyArg_ParseTuple(arguments, "Oiiiii", &source, &step, &lag, &least, &most_slope, &most_bend)
        || open_rows(source, &plane) < 0)
        return NULL;
    Py_ssize_t count = plane.columns - 2 * (Py_ssize_t)lag;
    if (step < 1 || lag < 1 || count < 1 || most_slope > 255 || most_bend > 510
        || plane.rows > UINT32_MAX / 512) {
        PyBuffer_Release(&plane.view);
        PyErr_SetString(PyExc_ValueError, "expected more columns than two lags, and a step of 1 or more");
        return NULL;
    }
    uint32_t *sums = calloc((size_t)count, 2 * sizeof *sums);
    if (sums) {
        Py_BEGIN_ALLOW_THREADS
        for (Py_ssize_t y = 0; y < plane.rows; y += step)
            add_bends(plane.data + y * plane.row_step, count, lag, least, most_slope, most_bend, sums,
                      sums + count);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&plane.view);
    PyObject *result = sums ? bytes_of(sums, (size_t)count * 2 * sizeof *sums) : PyErr_NoMemory();
    free(sums);
    return result;
}

/* ---- marks */

#define REACHES 4     /* 3 and 8 for marks, 1 and 2 for pixels that stand alone */

static const int reaches[REACHES] = {3, 8, 1, 2};

typedef struct {
    uint32_t *found;
    size_t count, room;
} Places;

/* Whether two rows of three planes differ by more than `contrast` in some channel. */
VECTORISED static void fill_differs(const uint8_t *restrict a0, const uint8_t *restrict b0,
                                    const uint8_t *restrict a1, const uint8_t *restrict b1,
                                    const uint8_t *restrict a2, const uint8_t *restrict b2,
                                    Py_ssize_t width, uint8_t contrast, uint8_t *restrict differs)
{
    for (Py_ssize_t x = 0; x < width; x++) {
        uint8_t d0 = (uint8_t)(a0[x] > b0[x] ? a0[x] - b0[x] : b0[x] - a0[x]);
        uint8_t d1 = (uint8_t)(a1[x] > b1[x] ? a1[x] - b1[x] : b1[x] - a1[x]);
        uint8_t d2 = (uint8_t)(a2[x] > b2[x] ? a2[x] - b2[x] : b2[x] - a2[x]);
        uint8_t most = d0 > d1 ? d0 : d1;
        differs[x] = (most > d2 ? most : d2) > contrast;
    }
}

static void compare_rows(const Plane planes[3], Py_ssize_t y, Py_ssize_t other, Py_ssize_t shift,
                         uint8_t contrast, uint8_t *differs)
{
    const uint8_t *a[3], *b[3];
    for (int i = 0; i < 3; i++) {
        a[i] = planes[i].data + y * planes[i].row_step;
        b[i] = planes[i].data + other * planes[i].row_step + shift;
    }
    fill_differs(a[0], b[0], a[1], b[1], a[2], b[2], planes->columns - shift, contrast, differs);
}

VECTORISED static void keep_both(uint8_t *restrict kept, const uint8_t *restrict other, Py_ssize_t width)
{
    for (Py_ssize_t x = 0; x < width; x++)
        kept[x] &= other[x];
}

VECTORISED static void keep_either(uint8_t *restrict kept, const uint8_t *restrict other,
                                   Py_ssize_t width)
{
    for (Py_ssize_t x = 0; x < width; x++)
        kept[x] |= other[x];
}

/* Which pixels of row `y` differ from those `reach` pixels above, below, left and right, as far as
 * there are any. `below` holds the comparisons with the rows below, of the last `reach` rows and
 * this one; `beside` is room for a row. */
static void fill_isolated(const Plane planes[3], Py_ssize_t y, int reach, uint8_t contrast,
                          uint8_t *below, uint8_t *beside, uint8_t *isolated)
{
    Py_ssize_t width = planes->columns, height = planes->rows;
    uint8_t *here = below + y % (reach + 1) * width;
    int downwards = y + reach < height, upwards = y >= reach;
    if (width <= reach || height <= reach || !(downwards || upwards)) {
        memset(isolated, 0, (size_t)width);
        return;
    }
    memset(isolated, 1, (size_t)width);
    if (downwards) {
        compare_rows(planes, y, y + reach, 0, contrast, here);
        keep_both(isolated, here, width);
    }
    if (upwards)
        keep_both(isolated, below + (y - reach) % (reach + 1) * width, width);
    compare_rows(planes, y, y, reach, contrast, beside);
    keep_both(isolated, beside, width - reach);
    keep_both(isolated + reach, beside, width - reach);
    for (Py_ssize_t x = width - reach; x < reach; x++)
        isolated[x] = 0; /* the middle of a narrow image has nothing to differ from */
}

/* Whether a pixel differs from its four diagonal neighbours at a distance, as far as there are any. */
static int stands_alone(const Plane planes[3], Py_ssize_t y, Py_ssize_t x, int reach, int contrast)
{
    for (int corner = 0; corner < 4; corner++) {
        Py_ssize_t v = y + (corner & 1 ? reach : -reach), u = x + (corner & 2 ? reach : -reach);
        if (v < 0 || u < 0 || v >= planes->rows || u >= planes->columns)
            continue;
        int most = 0;
        for (int i = 0; i < 3; i++) {
            int step = planes[i].data[y * planes[i].row_step + x]
                - planes[i].data[v * planes[i].row_step + u];
            step = step < 0 ? -step : step;
            most = step > most ? step : most;
        }
        if (most <= contrast)
            return 0;
    }
    return 1;
}

/* 0, or -1 where there is no memory. */
static int collect_marks(const Plane planes[3], Py_ssize_t y, const uint8_t *isolated, int reach,
                         int contrast, uint32_t *columns, Places *places)
{
    Py_ssize_t width = planes->columns;
    size_t count = 0;
    for (Py_ssize_t x = 0; x < width; x++) {
        columns[count] = (uint32_t)x; /* written over where it is none */
        count += isolated[x];
    }
    if (places->count + count > places->room) {
        places->room = 2 * places->room + count + 64;
        uint32_t *grown = realloc(places->found, places->room * sizeof *grown);
        if (!grown)
            return -1;
        places->found = grown;
    }
    for (size_t i = 0; i < count; i++)
        if (!reach || stands_alone(planes, y, columns[i], reach, contrast))
            places->found[places->count++] = (uint32_t)(y * width + columns[i]);
    return 0;
}

static int find_marks(const Plane planes[3], int contrast, Places places[3])
{
    Py_ssize_t width = planes->columns;
    const size_t rows = 3 + 1 + 8 + 1 + 1 + 1 + 2 + 1;
    uint8_t *below = calloc(rows + REACHES + 1, (size_t)width);
    uint32_t *columns = malloc(((size_t)width + 1) * sizeof *columns);
    int failed = !below || !columns;
    for (Py_ssize_t y = 0; !failed && y < planes->rows; y++) {
        uint8_t *isolated = below + rows * (size_t)width, *beside = isolated + REACHES * width;
        uint8_t *kept = below;
        for (int i = 0; i < REACHES; i++) {
            fill_isolated(planes, y, reaches[i], (uint8_t)contrast, kept, beside, isolated + i * width);
            kept += (reaches[i] + 1) * width;
        }
        keep_either(isolated, isolated + width, width);
        failed = collect_marks(planes, y, isolated, 0, contrast, columns, &places[0]) < 0;
        for (int i = 2; !failed && i < REACHES; i++)
            failed = collect_marks(planes, y, isolated + i * width, reaches[i], contrast, columns,
                                   &places[i - 1]) < 0;
    }
    free(below);
    free(columns);
    return failed ? -1 : 0;
}

static PyObject *marks(PyObject *self, PyObject *arguments)
{
    PyObject *sources[3], *result = NULL;
    Plane planes[3];
    Places places[3] = {{NULL, 0, 0}, {NULL, 0, 0}, {NULL, 0, 0}};
    int contrast, opened = 0, failed;
    if (!PyArg_ParseTuple(arguments, "OOOi", &sources[0], &sources[1], &sources[2], &contrast))
        return NULL;
    while (opened < 3 && open_rows(sources[opened], &planes[opened]) == 0)
        opened++;
    if (opened == 3) {
        int fits = contrast >= 0 && contrast < 256 && planes->rows <= UINT32_MAX / planes->columns;
        for (int i = 1; i < 3; i++)
            fits = fits && planes[i].rows == planes->rows && planes[i].columns == planes->columns;
        if (fits) {
            Py_BEGIN_ALLOW_THREADS
            failed = find_marks(planes, contrast, places);
            Py_END_ALLOW_THREADS
            result = failed ? PyErr_NoMemory()
                            : Py_BuildValue("NNN", bytes_of(places[0].found, 4 * places[0].count),
                                            bytes_of(places[1].found, 4 * places[1].count),
                                            bytes_of(places[2].found, 4 * places[2].count));
        } else {
            PyErr_SetString(PyExc_ValueError, "expected three planes of one size, and a contrast to 255");
        }
    }
    for (int i = 0; i < 3; i++)
        free(places[i].found);
    while (opened)
        PyBuffer_Release(&planes[--opened].view);
    return result;
}

/* ---- parts of thumbs, key points (second look) */

#define SIZES 6       /* sides of a part: all of it to a little less than half of its area */
#define COARSE 16     /* side of the whole and of the largest part */
#define WORD_BYTES 32 /* of the descriptor of a key point */

typedef struct {
    float pixels[COARSE][COARSE]; /* what is beyond the side is 0 */
} Square;

/* What of each of 32 pixels lies in each of `side` equal parts: share, first pixel, last pixel. */
typedef struct {
    float weights[COARSE][SIDE];
    int first[COARSE], last[COARSE];
} Shares;

static Shares shares[SIZES];

static void fill_shares(void)
{
    for (int size = 0; size < SIZES; size++) {
        int side = COARSE - size;
        for (int part = 0; part < side; part++) {
            double low = part * ((double)SIDE / side), high = (part + 1) * ((double)SIDE / side);
            Shares *kept = &shares[size];
            kept->first[part] = SIDE;
            for (int pixel = 0; pixel < SIDE; pixel++) {
                double shared = (high < pixel + 1 ? high : pixel + 1) - (low > pixel ? low : pixel);
                float weight = (float)((shared > 0 ? shared : 0) * ((double)side / SIDE));
                kept->weights[part][pixel] = weight;
                if (weight <= 0)
                    continue;
                if (kept->first[part] == SIDE)
                    kept->first[part] = pixel;
                kept->last[part] = pixel;
            }
        }
    }
}

/* `square` is turned about its diagonal, as both of a pair are: then lanes are never added up. */
INLINED void fill_square(const float thumb[SIDE][SIDE], int size, Square *square)
{
    const Shares *kept = &shares[size];
    int side = COARSE - size;
    float columns[SIDE][COARSE] = {{0}};
    memset(square, 0, sizeof *square);
    for (int y = 0; y < side; y++) {
        float row[SIDE] = {0};
        for (int v = kept->first[y]; v <= kept->last[y]; v++)
            for (int u = 0; u < SIDE; u++)
                row[u] += kept->weights[y][v] * thumb[v][u];
        for (int u = 0; u < SIDE; u++)
            columns[u][y] = row[u];
    }
    for (int x = 0; x < side; x++)
        for (int u = kept->first[x]; u <= kept->last[x]; u++)
            for (int y = 0; y < COARSE; y++)
                square->pixels[x][y] += kept->weights[x][u] * columns[u][y];
}

INLINED float sum_lanes(const float lanes[COARSE])
{
    float halves[COARSE / 2], quarters[COARSE / 4];
    for (int i = 0; i < COARSE / 2; i++)
        halves[i] = lanes[i] + lanes[i + COARSE / 2];
    for (int i = 0; i < COARSE / 4; i++)
        quarters[i] = halves[i] + halves[i + COARSE / 4];
    return (quarters[0] + quarters[2]) + (quarters[1] + quarters[3]);
}

/* A thumb at all sizes, each as it is; and what correlating takes. */
typedef struct {
    Square whole, parts[SIZES];                       /* parts: less their mean */
    double totals[COARSE + 1][COARSE + 1], squares[COARSE + 1][COARSE + 1];
    double power[SIZES];
} Reduced;

INLINED void fill_reduced(const uint8_t *packed, Reduced *reduced)
{
    float thumb[SIDE][SIDE];
    for (int i = 0; i < SIDE * SIDE / 2; i++) {
        thumb[2 * i / SIDE][2 * i % SIDE] = (float)(packed[i] >> 4);
        thumb[2 * i / SIDE][2 * i % SIDE + 1] = (float)(packed[i] & 15);
    }
    memset(reduced->totals, 0, sizeof reduced->totals);
    memset(reduced->squares, 0, sizeof reduced->squares);
    for (int size = 0; size < SIZES; size++) {
        Square *part = &reduced->parts[size];
        int side = COARSE - size;
        float sums[COARSE] = {0}, powers[COARSE] = {0};
        fill_square(thumb, size, part);
        if (!size)
            reduced->whole = *part;
        for (int x = 0; x < side; x++)
            for (int y = 0; y < COARSE; y++)
                sums[y] += part->pixels[x][y];
        float mean = sum_lanes(sums) / (float)(side * side);
        for (int x = 0; x < side; x++)
            for (int y = 0; y < COARSE; y++) {
                float value = y < side ? part->pixels[x][y] - mean : 0;
                part->pixels[x][y] = value;
                powers[y] += value * value;
            }
        reduced->power[size] = sum_lanes(powers);
    }
    for (int y = 0; y < COARSE; y++)
        for (int x = 0; x < COARSE; x++) {
            double value = reduced->whole.pixels[y][x];
            double(*totals)[COARSE + 1] = reduced->totals, (*squares)[COARSE + 1] = reduced->squares;
            totals[y + 1][x + 1] = value + totals[y][x + 1] + totals[y + 1][x] - totals[y][x];
            squares[y + 1][x + 1] =
                value * value + squares[y][x + 1] + squares[y + 1][x] - squares[y][x];
        }
}

INLINED double box(const double sums[COARSE + 1][COARSE + 1], int y, int x, int side)
{
    return sums[y + side][x + side] - sums[y][x + side] - sums[y + side][x] + sums[y][x];
}

/* The highest correlation of the part with a place in the whole. */
INLINED float best_place(const Reduced *whole, const Reduced *part, int size)
{
    int side = COARSE - size;
    float rows[COARSE][2 * COARSE] = {{0}}, best = -2;
    for (int y = 0; y < COARSE; y++)
        memcpy(rows[y], whole->whole.pixels[y], sizeof whole->whole.pixels[y]);
    for (int top = 0; top <= size; top++)
        for (int left = 0; left <= size; left++) {
            float lanes[COARSE] = {0};
            for (int y = 0; y < side; y++)
                for (int x = 0; x < COARSE; x++)
                    lanes[x] += rows[top + y][left + x] * part->parts[size].pixels[y][x];
            double total = box(whole->totals, top, left, side);
            double power = box(whole->squares, top, left, side) - total * total / (side * side);
            double length = (power > 1e-3 ? power : 1e-3)
                * (part->power[size] > 1e-3 ? part->power[size] : 1e-3);
            float found = (float)(sum_lanes(lanes) / sqrt(length));
            best = found > best ? found : best;
        }
    return best;
}

VECTORISED static void fill_likeness(const uint8_t *first, const uint8_t *second, Py_ssize_t pairs,
                                     float *there, float *back)
{
    Reduced reduced[2];
    for (Py_ssize_t i = 0; i < pairs; i++) {
        fill_reduced(first + i * SIDE * SIDE / 2, &reduced[0]);
        fill_reduced(second + i * SIDE * SIDE / 2, &reduced[1]);
        for (int size = 0; size < SIZES; size++) {
            there[i * SIZES + size] = best_place(&reduced[0], &reduced[1], size);
            back[i * SIZES + size] = best_place(&reduced[1], &reduced[0], size);
        }
    }
}

/* Two of (n, columns) bytes in one block each. */
static int open_both(PyObject *arguments, Py_buffer views[2], Py_ssize_t columns)
{
    PyObject *sources[2];
    if (!PyArg_ParseTuple(arguments, "OO", &sources[0], &sources[1]))
        return -1;
    for (int i = 0; i < 2; i++) {
        int failed = PyObject_GetBuffer(sources[i], &views[i], PyBUF_C_CONTIGUOUS) < 0;
        if (failed || views[i].len % columns || views[i].itemsize != 1) {
            if (!failed) {
                PyBuffer_Release(&views[i]);
                PyErr_Format(PyExc_ValueError, "expected rows of %zd bytes", columns);
            }
            if (i)
                PyBuffer_Release(&views[0]);
            return -1;
        }
    }
    return 0;
}

/* (packed thumbs, packed thumbs): the first of both (2, n, SIZES) float32, the highest correlation of
   the second at each size with a place in the first, and the other way round. */
static PyObject *parts(PyObject *self, PyObject *arguments)
{
    Py_buffer views[2];
    PyObject *result = NULL;
    if (open_both(arguments, views, SIDE * SIDE / 2) < 0)
        return NULL;
    if (views[0].len == views[1].len) {
        Py_ssize_t pairs = views[0].len / (SIDE * SIDE / 2);
        float *found = malloc((size_t)(2 * pairs * SIZES + 1) * sizeof *found);
        if (found) {
            Py_BEGIN_ALLOW_THREADS
            fill_likeness(views[0].buf, views[1].buf, pairs, found, found + pairs * SIZES);
            Py_END_ALLOW_THREADS
            result = bytes_of(found, (size_t)(2 * pairs * SIZES) * sizeof *found);
            free(found);
        } else {
            PyErr_NoMemory();
        }
    } else {
        PyErr_SetString(PyExc_ValueError, "expected as many thumbs as thumbs");
    }
    PyBuffer_Release(&views[0]);
    PyBuffer_Release(&views[1]);
    return result;
}

INLINED int count_bits(uint64_t bits)
{
#ifdef __GNUC__
    return __builtin_popcountll(bits);
#else
    bits -= bits >> 1 & 0x5555555555555555u;
    bits = (bits & 0x3333333333333333u) + (bits >> 2 & 0x3333333333333333u);
    return (int)(((bits + (bits >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56);
#endif
}

/* Of each word of A: the nearest of B (the first of equally near ones), and the distances in bits of
   the nearest and the next. */
VECTORISED static void fill_nearest(const uint8_t *a, Py_ssize_t rows, const uint8_t *b,
                                    Py_ssize_t others, int32_t *found)
{
    for (Py_ssize_t i = 0; i < rows; i++) {
        uint64_t word[WORD_BYTES / 8], other[WORD_BYTES / 8];
        int best = 8 * WORD_BYTES + 1, second = 8 * WORD_BYTES + 1;
        int32_t nearest = 0;
        memcpy(word, a + i * WORD_BYTES, WORD_BYTES);
        for (Py_ssize_t j = 0; j < others; j++) {
            int far = 0;
            memcpy(other, b + j * WORD_BYTES, WORD_BYTES);
            for (int k = 0; k < WORD_BYTES / 8; k++)
                far += count_bits(word[k] ^ other[k]);
            if (far < best) {
                second = best;
                best = far;
                nearest = (int32_t)j;
            } else if (far < second) {
                second = far;
            }
        }
        found[3 * i] = nearest;
        found[3 * i + 1] = best;
        found[3 * i + 2] = second;
    }
}

/* (words, words): (n, 3) int32 as `fill_nearest` says. */
static PyObject *nearest_words(PyObject *self, PyObject *arguments)
{
    Py_buffer views[2];
    PyObject *result = NULL;
    if (open_both(arguments, views, WORD_BYTES) < 0)
        return NULL;
    Py_ssize_t rows = views[0].len / WORD_BYTES, others = views[1].len / WORD_BYTES;
    int32_t *found = malloc((size_t)(3 * rows + 1) * sizeof *found);
    if (found && others <= INT32_MAX) {
        Py_BEGIN_ALLOW_THREADS
        fill_nearest(views[0].buf, rows, views[1].buf, others, found);
        Py_END_ALLOW_THREADS
        result = bytes_of(found, (size_t)(3 * rows) * sizeof *found);
    } else {
        PyErr_NoMemory();
    }
    free(found);
    PyBuffer_Release(&views[0]);
    PyBuffer_Release(&views[1]);
    return result;
}

/* ---- reducing by areas (second look) */

/* What is added up for one line of the result: lines of the source from `first` on, and weights. */
typedef struct {
    int32_t first, count;
    float weights[];
} Taps;

#define TAPS(taps, most, i) ((Taps *)((char *)(taps) + (size_t)(i) * (sizeof(Taps) + (most) * sizeof(float))))

/* The weights of OpenCV's INTER_AREA, in its order. */
static void *taps_of(Py_ssize_t from, Py_ssize_t to, size_t *most)
{
    double scale = 1 / ((double)to / (double)from);
    *most = (size_t)ceil(scale) + 2;
    void *taps = calloc((size_t)to, sizeof(Taps) + *most * sizeof(float));
    for (Py_ssize_t i = 0; taps && i < to; i++) {
        Taps *found = TAPS(taps, *most, i);
        double low = (double)i * scale, high = low + scale;
        double width = scale < (double)from - low ? scale : (double)from - low;
        Py_ssize_t start = (Py_ssize_t)ceil(low), stop = (Py_ssize_t)floor(high);
        stop = stop < from - 1 ? stop : from - 1;
        start = start < stop ? start : stop;
        found->first = (int32_t)start;
        if ((double)start - low > 1e-3) {
            found->first--;
            found->weights[found->count++] = (float)(((double)start - low) / width);
        }
        for (Py_ssize_t line = start; line < stop; line++)
            found->weights[found->count++] = (float)(1 / width);
        if (high - (double)stop > 1e-3) {
            double rest = high - (double)stop < 1 ? high - (double)stop : 1;
            found->weights[found->count++] = (float)((rest < width ? rest : width) / width);
        }
    }
    return taps;
}

/* One row of the source, weighed: 4 numbers a pixel of which 3 count; 4 bytes of each are read. */
INLINED void weigh_row(const uint8_t *row, const void *taps, size_t most, Py_ssize_t pixels,
                       float *weighed)
{
    for (Py_ssize_t x = 0; x < pixels; x++) {
        const Taps *found = TAPS(taps, most, x);
        const uint8_t *pixel = row + 3 * (Py_ssize_t)found->first;
        float sums[4] = {0};
        for (int32_t i = 0; i < found->count; i++, pixel += 3)
            for (int channel = 0; channel < 3; channel++)
                sums[channel] += (float)pixel[channel] * found->weights[i];
        memcpy(weighed + 4 * x, sums, sizeof sums);
    }
}

#ifdef WITH_AVX2
WITH_AVX2 static void weigh_row_avx2(const uint8_t *row, const void *taps, size_t most,
                                     Py_ssize_t pixels, float *weighed)
{
    for (Py_ssize_t x = 0; x < pixels; x++) {
        const Taps *found = TAPS(taps, most, x);
        const uint8_t *pixel = row + 3 * (Py_ssize_t)found->first;
        __m128 sums = _mm_setzero_ps();
        for (int32_t i = 0; i < found->count; i++, pixel += 3) {
            int32_t bytes;
            memcpy(&bytes, pixel, sizeof bytes);
            __m128 levels = _mm_cvtepi32_ps(_mm_cvtepu8_epi32(_mm_cvtsi32_si128(bytes)));
            sums = _mm_add_ps(sums, _mm_mul_ps(levels, _mm_set1_ps(found->weights[i])));
        }
        _mm_storeu_ps(weighed + 4 * x, sums);
    }
}
#endif

VECTORISED static void add_row(const float *restrict weighed, float weight, float *restrict sums,
                               Py_ssize_t count)
{
    for (Py_ssize_t i = 0; i < count; i++)
        sums[i] += weighed[i] * weight;
}

VECTORISED static void round_row(const float *restrict sums, uint8_t *restrict out, Py_ssize_t pixels)
{
    const float shift = 12582912; /* 1.5 x 2^23: to the nearest whole number, halves to even ones */
    for (Py_ssize_t x = 0; x < pixels; x++)
        for (int channel = 0; channel < 3; channel++) {
            float whole = (sums[4 * x + channel] + shift) - shift;
            out[3 * x + channel] = (uint8_t)(int)(whole < 0 ? 0 : whole > 255 ? 255 : whole);
        }
}

/* 0, or -1 where there is no memory. */
static int fill_areas(const Plane *rgb, uint8_t *out, Py_ssize_t rows, Py_ssize_t columns)
{
    size_t across, down;
    void *columns_of = taps_of(rgb->columns, columns, &across), *rows_of = taps_of(rgb->rows, rows, &down);
    float *weighed = malloc((size_t)columns * 4 * sizeof *weighed);
    float *sums = malloc((size_t)columns * 4 * sizeof *sums);
    uint8_t *last = calloc((size_t)rgb->columns * 3 + 1, 1);
    int failed = !columns_of || !rows_of || !weighed || !sums || !last;
    /* `last` is the last row with one more byte, since 4 are read of each pixel. */
    Py_ssize_t held = -1; /* the row of the source that is weighed */
    if (!failed)
        memcpy(last, rgb->data + (rgb->rows - 1) * rgb->row_step, (size_t)rgb->columns * 3);
    for (Py_ssize_t y = 0; !failed && y < rows; y++) {
        const Taps *found = TAPS(rows_of, down, y);
        memset(sums, 0, (size_t)columns * 4 * sizeof *sums);
        for (int32_t i = 0; i < found->count; i++) {
            Py_ssize_t line = found->first + i;
            const uint8_t *row = line == rgb->rows - 1 ? last : rgb->data + line * rgb->row_step;
            if (line != held) {
#ifdef WITH_AVX2
                if (__builtin_cpu_supports("avx2"))
                    weigh_row_avx2(row, columns_of, across, columns, weighed);
                else
#endif
                    weigh_row(row, columns_of, across, columns, weighed);
            }
            held = line;
            add_row(weighed, found->weights[i], sums, 4 * columns);
        }
        round_row(sums, out + 3 * y * columns, columns);
    }
    free(columns_of);
    free(rows_of);
    free(weighed);
    free(sums);
    free(last);
    return failed ? -1 : 0;
}

/* (rgb, rows, columns): (rows, columns, 3) bytes, means over areas, no larger than rgb. */
static PyObject *areas(PyObject *self, PyObject *arguments)
{
    PyObject *source, *result = NULL;
    Py_ssize_t rows, columns;
    Plane rgb;
    int failed;
    if (!PyArg_ParseTuple(arguments, "Onn", &source, &rows, &columns) || open_plane(source, &rgb, 3) < 0)
        return NULL;
    if (rows > 0 && columns > 0 && rows <= rgb.rows && columns <= rgb.columns
        && rgb.rows < INT32_MAX && rgb.columns < INT32_MAX / 3) {
        result = PyBytes_FromStringAndSize(NULL, 3 * rows * columns);
        if (result) {
            uint8_t *out = (uint8_t *)PyBytes_AsString(result);
            Py_BEGIN_ALLOW_THREADS
            failed = fill_areas(&rgb, out, rows, columns);
            Py_END_ALLOW_THREADS
            if (failed) {
                Py_DECREF(result);
                result = PyErr_NoMemory();
            }
        }
    } else {
        PyErr_SetString(PyExc_ValueError, "expected a size from 1 x 1 to that of the image");
    }
    PyBuffer_Release(&rgb.view);
    return result;
}

static PyMethodDef methods[] = {
    {"luma", luma, METH_VARARGS, NULL},
    {"tones", tones, METH_VARARGS, NULL},
    {"chroma", chroma, METH_VARARGS, NULL},
    {"colours", colours, METH_VARARGS, NULL},
    {"edge", edge, METH_VARARGS, NULL},
    {"uniform_lines", uniform_lines, METH_VARARGS, NULL},
    {"steps", steps, METH_VARARGS, NULL},
    {"quiet_blocks", quiet_blocks, METH_VARARGS, NULL},
    {"block_steps", block_steps, METH_VARARGS, NULL},
    {"reduce", reduce, METH_VARARGS, NULL},
    {"hashes", hashes, METH_O, NULL},
    {"sketch", sketch, METH_O, NULL},
    {"pack", pack, METH_O, NULL},
    {"powers", powers, METH_VARARGS, NULL},
    {"patches", patches, METH_VARARGS, NULL},
    {"edges", edges, METH_VARARGS, NULL},
    {"edge_groups", edge_groups, METH_VARARGS, NULL},
    {"slopes_and_bends", slopes_and_bends, METH_VARARGS, NULL},
    {"marks", marks, METH_VARARGS, NULL},
    {"areas", areas, METH_VARARGS, NULL},
    {"parts", parts, METH_VARARGS, NULL},
    {"nearest_words", nearest_words, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static int execute(PyObject *module)
{
    fill_tables();
    fill_shares();
    return PyModule_AddIntConstant(module, "VERSION", KERNEL_VERSION);
}

static PyModuleDef_Slot slots[] = {{Py_mod_exec, execute}, {0, NULL}};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, "_kernel", NULL, 0, methods, slots, NULL, NULL, NULL,
};

PyMODINIT_FUNC PyInit__kernel(void)
{
    return PyModuleDef_Init(&definition);
}
