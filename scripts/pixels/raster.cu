// Draws dressed people: skinning, normals, projection and depth, one function a thread; `shade.cu` goes on.
//
// The same text is compiled for a GPU (each function a kernel, one thread an item) and for the CPU (a loop
// over the items), so what is tried on the one is what runs on the other. Lengths are metres, world z is up,
// pixel centres lie at whole coordinates. I: instances of people, S: pictures, stride: vertices an instance
// may have.

#ifdef __CUDACC_RTC__
#define FUNCTION __device__ inline
#define KERNEL(name, ...)                                                  \
    extern "C" __global__ void name(long long items, __VA_ARGS__) {        \
        long long item = (long long)blockIdx.x * blockDim.x + threadIdx.x; \
        if (item >= items) return;
#define END }
#define NEXT return
typedef unsigned long long Key;
FUNCTION void keep_nearest(Key *at, Key key) { atomicMin(at, key); }
FUNCTION void add(float *at, float value) { atomicAdd(at, value); }
FUNCTION unsigned bits(float value) { return __float_as_uint(value); }
FUNCTION float unbits(unsigned value) { return __uint_as_float(value); }
#else
#include <cmath>
#include <cstring>
using namespace std;
#define FUNCTION static inline
#define KERNEL(name, ...)                                \
    extern "C" void name(long long items, __VA_ARGS__) { \
        for (long long item = 0; item < items; item++) {
#define END }}
#define NEXT continue
typedef unsigned long long Key;
FUNCTION void keep_nearest(Key *at, Key key) { if (key < *at) *at = key; }
FUNCTION void add(float *at, float value) { *at += value; }
FUNCTION unsigned bits(float value) { unsigned u; memcpy(&u, &value, 4); return u; }
FUNCTION float unbits(unsigned value) { float f; memcpy(&f, &value, 4); return f; }
#endif

// What a pixel of a depth buffer keeps: the bits of the depth (of positive floats the order is that of their
// bits), then one byte of the instance's slot in its picture, then three of the face.
#define NOTHING 0xffffffffffffffffULL
#define JOINTS 52
#define TEXTURE 256
#define HAS_HOLES(kind) ((kind) == 3 || (kind) == 6)  // hair and hats: textures that one can see through

struct Vector { float x, y, z; };
FUNCTION Vector at3(const float *p) { Vector v = {p[0], p[1], p[2]}; return v; }
FUNCTION void put3(float *p, Vector v) { p[0] = v.x; p[1] = v.y; p[2] = v.z; }
FUNCTION Vector plus(Vector a, Vector b) { Vector v = {a.x + b.x, a.y + b.y, a.z + b.z}; return v; }
FUNCTION Vector minus(Vector a, Vector b) { Vector v = {a.x - b.x, a.y - b.y, a.z - b.z}; return v; }
FUNCTION Vector times(Vector a, float k) { Vector v = {a.x * k, a.y * k, a.z * k}; return v; }
FUNCTION Vector by(Vector a, Vector b) { Vector v = {a.x * b.x, a.y * b.y, a.z * b.z}; return v; }
FUNCTION float dot(Vector a, Vector b) { return a.x * b.x + a.y * b.y + a.z * b.z; }
FUNCTION Vector cross(Vector a, Vector b) {
    Vector v = {a.y * b.z - a.z * b.y, a.z * b.x - a.x * b.z, a.x * b.y - a.y * b.x};
    return v;
}
FUNCTION Vector unit(Vector a) { return times(a, 1.0f / sqrtf(dot(a, a) + 1e-12f)); }
FUNCTION Vector affine(const float *m, Vector a) {  // by a matrix 3x4
    Vector v = {m[0] * a.x + m[1] * a.y + m[2] * a.z + m[3], m[4] * a.x + m[5] * a.y + m[6] * a.z + m[7],
                m[8] * a.x + m[9] * a.y + m[10] * a.z + m[11]};
    return v;
}

struct Triangle { Vector a, b, c; };
FUNCTION Triangle corners(const float *points, long long first, const int *face) {
    Triangle t = {at3(points + (first + face[0]) * 3), at3(points + (first + face[1]) * 3),
                  at3(points + (first + face[2]) * 3)};
    return t;
}
// twice the area in the image, its sign by which way round it lies
FUNCTION float area_of(Triangle t) {
    return (t.b.x - t.a.x) * (t.c.y - t.a.y) - (t.b.y - t.a.y) * (t.c.x - t.a.x);
}
// barycentric weights of the corners b and c at a pixel, without perspective
FUNCTION float weight_b(Triangle t, float area, int x, int y) {
    return ((x - t.a.x) * (t.c.y - t.a.y) - (y - t.a.y) * (t.c.x - t.a.x)) / area;
}
FUNCTION float weight_c(Triangle t, float area, int x, int y) {
    return ((t.b.x - t.a.x) * (y - t.a.y) - (t.b.y - t.a.y) * (x - t.a.x)) / area;
}

struct Colour { Vector rgb; float alpha; };
FUNCTION Colour texel(const unsigned char *texture, int channels, int column, int row) {
    const unsigned char *p = texture + ((long long)row * TEXTURE + column) * channels;
    Vector rgb = {p[0] / 255.0f, p[1] / 255.0f, p[2] / 255.0f};
    Colour c = {by(rgb, rgb), channels == 4 ? p[3] / 255.0f : 1.0f};  // squares: close to linear light
    return c;
}
// a texture's colour between its texels; it repeats
FUNCTION Colour look(const unsigned char *texture, int channels, float u, float v) {
    u = (u - floorf(u)) * TEXTURE - 0.5f;
    v = (v - floorf(v)) * TEXTURE - 0.5f;
    int column = (int)floorf(u), row = (int)floorf(v);
    float a = u - column, b = v - row;
    int c0 = column & (TEXTURE - 1), c1 = (column + 1) & (TEXTURE - 1);
    int r0 = row & (TEXTURE - 1), r1 = (row + 1) & (TEXTURE - 1);
    Colour p = texel(texture, channels, c0, r0), q = texel(texture, channels, c1, r0);
    Colour s = texel(texture, channels, c0, r1), t = texel(texture, channels, c1, r1);
    float wp = (1 - a) * (1 - b), wq = a * (1 - b), ws = (1 - a) * b, wt = a * b;
    Colour mixed = {plus(plus(times(p.rgb, wp), times(q.rgb, wq)), plus(times(s.rgb, ws), times(t.rgb, wt))),
                    p.alpha * wp + q.alpha * wq + s.alpha * ws + t.alpha * wt};
    return mixed;
}
// the colour of a face's own texture; uv of its three corners, weights of the corners
FUNCTION Colour look_at_face(const unsigned char *textures, int texture, const float *uv, float a, float b,
                             float c) {
    return look(textures + (long long)texture * TEXTURE * TEXTURE * 4, 4, a * uv[0] + b * uv[2] + c * uv[4],
                a * uv[1] + b * uv[3] + c * uv[5]);
}

// vertices of each instance in the world: linear blend skinning over four joints; bones (I, 52, 3, 4)
KERNEL(skin, const short *vertices, const long long *first_vertex, const unsigned char *skin_joint,
       const unsigned char *skin_weight, const int *person, const float *bones, int stride, float *world)
    int instance = item / stride, v = item % stride, p = person[instance];
    long long start = first_vertex[p];
    if (v >= first_vertex[p + 1] - start) NEXT;
    const short *r = vertices + (start + v) * 3;
    Vector rest = {r[0] * 1e-4f, r[1] * 1e-4f, r[2] * 1e-4f}, sum = {0, 0, 0};
    for (int k = 0; k < 4; k++) {
        float weight = skin_weight[(start + v) * 4 + k] / 255.0f;
        const float *bone = bones + (instance * JOINTS + skin_joint[(start + v) * 4 + k]) * 12;
        if (weight > 0) sum = plus(sum, times(affine(bone, rest), weight));
    }
    put3(world + item * 3, sum);
END

// sums of face normals, weighted by area, at the vertices
KERNEL(normals, const int *faces, const long long *first_face, const int *person, int most_faces, int stride,
       const float *world, float *normal)
    int instance = item / most_faces, f = item % most_faces, p = person[instance];
    long long start = first_face[p];
    if (f >= first_face[p + 1] - start) NEXT;
    const int *face = faces + (start + f) * 3;
    long long first = (long long)instance * stride;
    Triangle t = corners(world, first, face);
    Vector n = cross(minus(t.b, t.a), minus(t.c, t.a));
    for (int k = 0; k < 3; k++) {
        float *sum = normal + (first + face[k]) * 3;
        add(sum, n.x);
        add(sum + 1, n.y);
        add(sum + 2, n.z);
    }
END

// vertices to pixels: (x, y, depth) by a matrix 3x4 a picture; flat: without perspective
KERNEL(project, const int *picture, const float *matrix, int flat, int stride, const float *world,
       float *screen)
    int instance = item / stride;
    Vector x = affine(matrix + picture[instance] * 12, at3(world + item * 3));
    float k = flat ? 1.0f : 1.0f / (x.z > 1e-3f ? x.z : 1e-3f), *o = screen + item * 3;
    o[0] = x.x * k; o[1] = x.y * k; o[2] = x.z;
END

// each face into the depth buffer; a pixel keeps the nearest depth, which instance (slot) and which face
KERNEL(raster, const int *faces, const long long *first_face, const float *uv, const short *texture_of,
       const unsigned char *kind, const unsigned char *textures, const int *person, const int *picture,
       const int *slot, int most_faces, int stride, const float *screen, int flat, int size, Key *buffer)
    int instance = item / most_faces, f = item % most_faces, p = person[instance];
    long long start = first_face[p];
    if (f >= first_face[p + 1] - start) NEXT;
    Triangle t = corners(screen, (long long)instance * stride, faces + (start + f) * 3);
    if (t.a.z < 0.05f || t.b.z < 0.05f || t.c.z < 0.05f) NEXT;
    float area = area_of(t);
    if (fabsf(area) < 1e-9f) NEXT;
    float low_x = fminf(t.a.x, fminf(t.b.x, t.c.x)), high_x = fmaxf(t.a.x, fmaxf(t.b.x, t.c.x));
    float low_y = fminf(t.a.y, fminf(t.b.y, t.c.y)), high_y = fmaxf(t.a.y, fmaxf(t.b.y, t.c.y));
    if (high_x < 0 || high_y < 0 || low_x > size - 1 || low_y > size - 1) NEXT;
    int x0 = (int)ceilf(fmaxf(low_x, 0.0f)), x1 = (int)floorf(fminf(high_x, size - 1.0f));
    int y0 = (int)ceilf(fmaxf(low_y, 0.0f)), y1 = (int)floorf(fminf(high_y, size - 1.0f));
    int holes = HAS_HOLES(kind[start + f]);
    unsigned name = ((unsigned)slot[instance] << 24) | (unsigned)f;
    for (int y = y0; y <= y1; y++)
        for (int x = x0; x <= x1; x++) {
            float b = weight_b(t, area, x, y), c = weight_c(t, area, x, y), a = 1 - b - c;
            if (a < 0 || b < 0 || c < 0) continue;
            float depth = flat ? a * t.a.z + b * t.b.z + c * t.c.z
                               : 1.0f / (a / t.a.z + b / t.b.z + c / t.c.z);
            if (holes) {
                float qa = flat ? a : a * depth / t.a.z, qb = flat ? b : b * depth / t.b.z;
                Colour seen = look_at_face(textures, texture_of[start + f], uv + (start + f) * 6, qa, qb,
                                           1 - qa - qb);
                if (seen.alpha < 0.4f) continue;
            }
            keep_nearest(buffer + ((long long)picture[instance] * size + y) * size + x,
                         ((Key)bits(depth) << 32) | name);
        }
END
