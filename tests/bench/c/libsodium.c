/* Argon2id by libsodium, without a server. Arguments: the number of threads, and the seconds.
   Prints hashes per second. cc -O2 libsodium.c -lsodium -lpthread */
#include <sodium.h>

static int hash(unsigned char *out, const unsigned char *salt) {
    return crypto_pwhash(out, 32, "correct-horse-till", 18, salt, 2, 19456ULL * 1024, crypto_pwhash_ALG_ARGON2ID13);
}

static int ready(void) { return sodium_init() < 0; }

#include "threads.h"
