/* Argon2id as the C reference makes it, bare: as many threads as the first argument says hash for the second argument's seconds.
   Prints hashes per second. cc -O2 libargon2.c -largon2 -lpthread */
#include <argon2.h>

static int hash(unsigned char *out, const unsigned char *salt) {
    return argon2id_hash_raw(2, 19456, 1, "correct-horse-till", 18, salt, 16, out, 32);
}

static int ready(void) { return 0; }

#include "threads.h"
