#!/bin/sh
# Runs the PostgreSQL server on $PGDATA and makes the database there first when there is none.
#
#   POSTGRES_PASSWORD  password of the user, asked for on every network connection (needed at the first start)
#   POSTGRES_USER      the superuser (default postgres)
#   POSTGRES_DB        a database to make (default: the user's name)
#
# Connections through the socket in the container need no password. Any other command than `postgres` is just run.
set -eu

[ "${1:-}" = postgres ] || exec "$@"

user=${POSTGRES_USER:-postgres}
database=${POSTGRES_DB:-$user}

if [ ! -s "$PGDATA/PG_VERSION" ]; then
	: "${POSTGRES_PASSWORD:?set it: the first start makes the database with this password}"
	# Made beside its place and moved there whole: a start that was cut off begins anew.
	new=$PGDATA.new
	rm -rf "$new"
	mkdir -p "$(dirname "$PGDATA")"
	password=$(mktemp)
	printf '%s\n' "$POSTGRES_PASSWORD" >"$password"
	initdb --pgdata="$new" --username="$user" --pwfile="$password" --encoding=UTF8 --locale=C.UTF-8 \
		--auth-local=trust --auth-host=scram-sha-256
	rm -f "$password"
	printf 'host all all all scram-sha-256\nhost replication all all scram-sha-256\n' >>"$new/pg_hba.conf"
	printf "listen_addresses = '*'\n" >>"$new/postgresql.conf"
	if [ "$database" != postgres ]; then
		pg_ctl --pgdata="$new" --options="-c listen_addresses=''" --wait --silent start
		createdb --username="$user" --maintenance-db=postgres "$database"
		pg_ctl --pgdata="$new" --mode=fast --wait --silent stop
	fi
	rm -rf "$PGDATA"
	mv "$new" "$PGDATA"
fi

exec "$@" -D "$PGDATA"
