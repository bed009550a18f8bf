// What each pixel shows of people and rooms, and in what light. Continues raster.cu, compiled behind it.
//
// rays (S,12): world point = origin + depth * (M (x, y, 1)), M the first nine, origin the last three
// room (S,64): 0-5 low and high corner; 6-11 texture of each side; 12 texture scale; 13: 1 = a flat picture
//   behind instead of a room, 14 its texture, 15 its turn, 16 its size; then five boxes of eight from 24:
//   low and high corner, texture, scale
// light (S,16): 0-2 towards the sun, 3-5 sun, 6-8 sky, 9-11 ground, 12-14 towards a second light, 15 its
//   strength
// tint (I,8,4): of each kind of face a colour and how much of it

#define KINDS 8
#define ROOM 64
#define BOXES 5
#define LIGHT 16

FUNCTION Vector linear(const float *m, Vector a) {  // by a matrix 3x3
    Vector v = {m[0] * a.x + m[1] * a.y + m[2] * a.z, m[3] * a.x + m[4] * a.y + m[5] * a.z,
                m[6] * a.x + m[7] * a.y + m[8] * a.z};
    return v;
}

// how much of the sun is not hidden, 0 to 1, over 3x3 texels of the shadow buffer
FUNCTION float sunlit(const Key *shadow, int size, const float *matrix, Vector point, float bias) {
    Vector q = affine(matrix, point);
    int x = (int)floorf(q.x + 0.5f), y = (int)floorf(q.y + 0.5f);
    float lit = 0;
    for (int dy = -1; dy <= 1; dy++)
        for (int dx = -1; dx <= 1; dx++) {
            int c = x + dx, r = y + dy;
            if (c < 0 || r < 0 || c >= size || r >= size) { lit += 1; continue; }
            Key key = shadow[(long long)r * size + c];
            lit += key == NOTHING || unbits((unsigned)(key >> 32)) > q.z - bias;
        }
    return lit / 9;
}

// A side of the room or of a box: how far along the ray, the axis across it and which way it faces.
struct Side { float far; int found, axis; float sign; int texture; float scale; };

FUNCTION Side nearest_side(const float *room, const float *origin, const float *direction) {
    Side s = {1e8f, 0, 2, 1, 0, 1};
    if (room[13] < 0.5f)
        for (int k = 0; k < 3; k++) {
            int high = direction[k] > 0;
            float at = (room[high * 3 + k] - origin[k]) / direction[k];
            if (at > 0 && at < s.far) {
                Side wall = {at, 1, k, high ? -1.0f : 1.0f, (int)room[6 + k * 2 + high], room[12]};
                s = wall;
            }
        }
    for (int b = 0; b < BOXES; b++) {
        const float *box = room + 24 + b * 8;
        float enter = -1e9f, leave = 1e9f;
        int axis = 0;
        for (int k = 0; k < 3; k++) {
            float p = (box[k] - origin[k]) / direction[k], q = (box[3 + k] - origin[k]) / direction[k];
            float near = fminf(p, q);
            if (near > enter) { enter = near; axis = k; }
            leave = fminf(leave, fmaxf(p, q));
        }
        if (enter < leave && enter > 0.05f && enter < s.far) {
            Side found = {enter, 1, axis, direction[axis] > 0 ? -1.0f : 1.0f, (int)box[6], box[7]};
            s = found;
        }
    }
    return s;
}

// the colour of a side at a point on it
FUNCTION Vector side_colour(Side s, Vector point, const unsigned char *bank) {
    float q[3] = {point.x, point.y, point.z}, u = q[(s.axis + 1) % 3], v = q[(s.axis + 2) % 3];
    if (s.axis == 0) { float keep = u; u = v; v = keep; }
    return look(bank + (long long)s.texture * TEXTURE * TEXTURE * 3, 3, u * s.scale, -v * s.scale).rgb;
}

// the colour of the flat picture behind, at a pixel
FUNCTION Vector backdrop_colour(const float *room, int size, int x, int y, const unsigned char *bank) {
    float c = cosf(room[15]) * room[16] / size, s = sinf(room[15]) * room[16] / size;
    return look(bank + (long long)room[14] * TEXTURE * TEXTURE * 3, 3, c * x - s * y + room[15],
                s * x + c * y + room[16]).rgb;
}

// the colour of each pixel, linear light, 0 to about 1
KERNEL(shade, const int *faces, const long long *first_face, const float *uv, const short *texture_of,
       const unsigned char *kind, const unsigned char *textures, const int *person, const int *instance_of,
       int slots, const float *tint, int stride, const float *normal, const float *screen, const Key *buffer,
       int size, const float *rays, const float *room_of, const float *light_of, const unsigned char *bank,
       const Key *shadow, int shadow_size, const float *shadow_matrix, float *image)
    int x = item % size, y = (item / size) % size;
    long long s = item / ((long long)size * size);
    const float *room = room_of + s * ROOM, *light = light_of + s * LIGHT, *ray = rays + s * 12;
    Vector pixel = {(float)x, (float)y, 1}, direction = linear(ray, pixel), origin = at3(ray + 9);
    float o[3] = {origin.x, origin.y, origin.z}, d[3] = {direction.x, direction.y, direction.z};
    for (int k = 0; k < 3; k++) if (fabsf(d[k]) < 1e-9f) d[k] = 1e-9f;
    Side side = nearest_side(room, o, d);
    Key key = buffer[item];
    float depth = key == NOTHING ? 1e9f : unbits((unsigned)(key >> 32));
    Vector albedo, n, point;
    float bias;
    if (key != NOTHING && depth < side.far) {
        unsigned name = (unsigned)key;
        int instance = instance_of[s * slots + (name >> 24)], f = name & 0xffffff;
        long long g = first_face[person[instance]] + f, first = (long long)instance * stride;
        Triangle t = corners(screen, first, faces + g * 3);
        Triangle normals_of = corners(normal, first, faces + g * 3);
        float area = area_of(t), b = weight_b(t, area, x, y) * depth / t.b.z;
        float c = weight_c(t, area, x, y) * depth / t.c.z, a = 1 - b - c;
        n = unit(plus(plus(times(unit(normals_of.a), a), times(unit(normals_of.b), b)),
                      times(unit(normals_of.c), c)));
        if (dot(n, direction) > 0) n = times(n, -1);
        Colour seen = look_at_face(textures, texture_of[g], uv + g * 6, a, b, c);
        const float *paint = tint + (instance * KINDS + kind[g]) * 4;
        float grey = 0.3f * seen.rgb.x + 0.6f * seen.rgb.y + 0.1f * seen.rgb.z;
        albedo = plus(times(seen.rgb, 1 - paint[3]), times(at3(paint), paint[3] * (0.25f + 1.5f * grey)));
        point = plus(origin, times(direction, depth));
        bias = 0.012f;
    } else if (side.found) {
        point = plus(origin, times(direction, side.far));
        Vector facing = {side.axis == 0 ? side.sign : 0, side.axis == 1 ? side.sign : 0,
                         side.axis == 2 ? side.sign : 0};
        n = facing;
        albedo = side_colour(side, point, bank);
        bias = 0.03f;
    } else {
        put3(image + item * 3, backdrop_colour(room, size, x, y, bank));
        NEXT;
    }
    float facing = dot(n, at3(light)), up = 0.5f + 0.5f * n.z, lit = 0;
    if (facing > 0)
        lit = facing * sunlit(shadow + s * shadow_size * shadow_size, shadow_size, shadow_matrix + s * 12,
                              point, bias);
    Vector around = plus(times(at3(light + 6), up), times(at3(light + 9), 1 - up));
    Vector sum = plus(around, times(at3(light + 3), lit));
    float more = light[15] * fmaxf(0.0f, dot(n, at3(light + 12)));
    Vector fill = {more, more, more};
    put3(image + item * 3, by(albedo, plus(sum, fill)));
END
