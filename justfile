# Recipes for `just`. Each is one command that also works without it.

# run a server with the demo shop on http://127.0.0.1:8080
demo *ARGS:
    cargo run --release --bin tillgate -- demo {{ARGS}}

# run a server
serve *ARGS:
    cargo run --release --bin tillgate -- serve {{ARGS}}

# install what the tests need and run all tests ("just test thorough" runs many more random cases)
test *ARGS:
    tests/run {{ARGS}}

# run the quick tests, which require no other program: rules, ports, use cases, wire formats
quick:
    cargo test --workspace --exclude tillgate-tests

# take a picture of every page of the back office into target/screenshots; requires Chromium ("just test install")
screenshots *ARGS:
    cargo run --locked -p tillgate-tests --example screenshots -- {{ARGS}}

# run the benchmarks and write the results to docs/bench
bench *ARGS:
    cargo build --release --bin tillgate
    cargo run --release -p tillgate-bench -- {{ARGS}}

# fuzz a target for a minute: headers, access_token, refresh_token, login, signature, configuration, database_address, accept_language,
# ticket_query, cursor, proof
fuzz TARGET:
    cargo +nightly fuzz run {{TARGET}} -- -max_total_time=60

# check licenses, sources and known vulnerabilities of the dependencies; requires cargo-deny (cargo install --locked cargo-deny)
deny:
    cargo deny check

# build a Debian package in target/debian; requires cargo-deb (cargo install --locked cargo-deb), dpkg-dev and libssl-dev
deb *ARGS:
    packaging/deb/build {{ARGS}}
