# Recipes for those who have `just`; each is one command that works without it.

# a server with a shop to try, on http://127.0.0.1:8080
demo *ARGS:
    cargo run --release --bin tillgate -- demo {{ARGS}}

# a server
serve *ARGS:
    cargo run --release --bin tillgate -- serve {{ARGS}}

# install what the tests need, and pass them ("just test thorough" gives the random tests many more cases)
test *ARGS:
    tests/run {{ARGS}}

# the quick part of the tests: rules, ports, use cases, wire
quick:
    cargo test --workspace --exclude tillgate-tests

# measure, and keep the figures in docs/bench
bench *ARGS:
    cargo build --release --bin tillgate
    cargo run --release -p tillgate-bench -- {{ARGS}}

# fuzz a target for a minute: headers, access_token, refresh_token, login, signature, configuration, database_address, accept_language,
# ticket_query, cursor
fuzz TARGET:
    cargo +nightly fuzz run {{TARGET}} -- -max_total_time=60

# licenses, sources and known vulnerabilities of the dependencies; needs cargo-deny (cargo install --locked cargo-deny)
deny:
    cargo deny check

# a Debian package in target/debian; needs cargo-deb (cargo install --locked cargo-deb), dpkg-dev and libssl-dev
deb *ARGS:
    packaging/deb/build {{ARGS}}
