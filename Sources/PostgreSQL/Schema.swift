import Bookings

/// The schema's tables and their migrations.
enum Schema {
    /// The newest version that this program knows.
    static let version = 1

    /// What is there.
    struct Present {
        let version: Int
        /// Which schema it is: one that was made anew is another, one that was restored is the same.
        let identity: String
    }

    /// Sees to it that the schema is there and as this program knows it. Whoever comes first makes it or brings it up to
    /// date, under a lock that the others wait for; but not in place of one that this process has used.
    static func prepare(_ connection: Connection, _ target: DatabaseTarget) throws(DatabaseTrouble) {
        let used = target.used.identity
        var found = try present(connection, target)
        if used == nil, found?.version != version {
            do {
                if try migrate(connection, target) { target.used.made(target.schema) }
            } catch {
                guard let code = error.code, ["42501", "58P01", "0A000"].contains(code) else { throw error }
                throw DatabaseTrouble(
                    .refusedSchema,
                    "The schema \(target.schema) can't be made or brought up to date. \(error.reason) Let the role make "
                        + "schemas in the database, or make the schema for it, and 'CREATE EXTENSION btree_gist'."
                )
            }
            found = try present(connection, target)
        }
        guard let found, used == nil || found.identity == used else {
            throw DatabaseTrouble(
                .refusedSchema,
                "The schema \(target.schema) that was used before is gone\(found == nil ? "" : ", and another is in its place"). "
                    + "Restore it from a backup, or restart all daemons to begin anew with what is there now."
            )
        }
        try checkIsWhole(connection, target)
        target.used.use(found.identity)
    }

    /// - Returns: what is there; nil without a schema, or with an empty one.
    static func present(_ connection: Connection, _ target: DatabaseTarget) throws(DatabaseTrouble)
        -> Present?
    {
        let row: Row?
        do {
            row = try connection.run(Statement("SELECT version, moved_to, identity FROM control")).first
        } catch  where error.code == "42P01" || error.code == "3F000" {
            return nil
        } catch {
            throw error
        }
        guard let row else { throw notWhole(target, "control has no row") }
        let found = try row.integer(0)
        if found > version {
            throw DatabaseTrouble(
                .refusedSchema,
                "The schema \(target.schema) has version \(found), and this program knows versions up to \(version). "
                    + "Nothing is touched; install the newer acms.")
        }
        if let place = row.optionalText(1), !target.ignoresMove {
            throw DatabaseTrouble(
                .refusedSchema,
                "The bookings of the schema \(target.schema) were moved to \(place). Set 'engine: embedded' there, or "
                    + "move them back with 'acmsctl migrate --to postgres'.")
        }
        return Present(version: found, identity: try row.text(2))
    }

    /// Whether all that the promises rest on is there: a backup that is being restored has its indexes last.
    static func checkIsWhole(_ connection: Connection, _ target: DatabaseTarget) throws(DatabaseTrouble) {
        let row = try connection.run(
            Statement(
                """
                SELECT string_agg(name, ', ') FROM unnest($1::text[]) AS name WHERE NOT EXISTS (
                  SELECT FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
                  WHERE c.relname = name AND c.relnamespace = to_regnamespace($2) AND i.indisvalid)
                """, [.array(unique), .text(target.quotedSchema)])
        ).first
        if let missing = row?.optionalText(0) { throw notWhole(target, "\(missing) missing") }
    }

    private static func notWhole(_ target: DatabaseTarget, _ what: String) -> DatabaseTrouble {
        DatabaseTrouble(
            .incompleteSchema,
            "The schema \(target.schema) isn't whole: \(what). Wait until its backup is restored, or restore it."
        )
    }

    private static let unique = [
        "bookings_pkey", "no_overlap", "one_pending_booking", "one_booking_a_key", "messages_pkey",
        "one_claim",
        "one_message_a_key", "forwarded_pkey",
    ]

    /// - Returns: whether it has made the schema.
    private static func migrate(
        _ connection: Connection, _ target: DatabaseTarget
    ) throws(DatabaseTrouble) -> Bool {
        try connection.inTransaction { () throws(DatabaseTrouble) in
            _ = try connection.run(Statement("SELECT pg_advisory_xact_lock(\(Lock.migration.key(target)))"))
            // Not IF NOT EXISTS, which needs the right to make schemas even where there is one.
            let schema = Statement("SELECT to_regnamespace($1) IS NOT NULL", [.text(target.quotedSchema)])
            if try connection.run(schema).first?.flag(0) != true {
                try connection.run([Statement("CREATE SCHEMA \(target.quotedSchema)")])
            }
            let isThere = try connection.run(Statement("SELECT to_regclass('control') IS NOT NULL")).first?
                .flag(0)
            if isThere != true { for sql in first { try connection.run([Statement(sql)]) } }
            return isThere != true
        }
    }

    private static let first = [
        // For the constraint that compares apartments and ranges of dates.
        "CREATE EXTENSION IF NOT EXISTS btree_gist WITH SCHEMA public",
        """
        CREATE TABLE bookings (
          id uuid PRIMARY KEY,
          user_id text COLLATE "C" NOT NULL,
          apartment_id text COLLATE "C" NOT NULL,
          start_date date NOT NULL,
          end_date date NOT NULL CHECK (end_date > start_date),
          booking_status text COLLATE "C" NOT NULL CHECK (booking_status IN ('PENDING', 'APPROVED', 'CANCELLED')),
          created_on timestamptz NOT NULL,
          updated_on timestamptz NOT NULL,
          idempotency_key text COLLATE "C",
          CONSTRAINT no_overlap EXCLUDE USING gist (apartment_id WITH =, daterange(start_date, end_date) WITH &&)
            WHERE (booking_status = 'APPROVED'))
        """,
        """
        CREATE UNIQUE INDEX one_pending_booking ON bookings (user_id, apartment_id) WHERE booking_status = 'PENDING'
        """,
        "CREATE UNIQUE INDEX one_booking_a_key ON bookings (user_id, idempotency_key) WHERE idempotency_key IS NOT NULL",
        "CREATE INDEX bookings_by_apartment ON bookings (apartment_id, created_on, id)",
        // A user's undecided bookings are few, one an apartment, and found by one_pending_booking.
        // Written so that it isn't taken for an index of APPROVED ones.
        """
        CREATE INDEX decided_by_user ON bookings (user_id, created_on, id) WHERE (booking_status <> 'PENDING') IS TRUE
        """,
        "CREATE INDEX pending_by_age ON bookings (created_on, id) WHERE booking_status = 'PENDING'",
        // Messages are changed when they are received, mostly all of a page: with as much room in the page again that touches
        // no index.
        """
        CREATE TABLE messages (
          id uuid PRIMARY KEY,
          place text COLLATE "C" NOT NULL CHECK (place IN ('QUEUED', 'DEFERRED', 'DEAD')),
          -- Whether it claims its user's apartment and key. Letters that lost them to another don't.
          holds boolean NOT NULL DEFAULT true,
          user_id text COLLATE "C",
          apartment_id text COLLATE "C",
          start_date date,
          end_date date,
          idempotency_key text COLLATE "C",
          accepted_on timestamptz NOT NULL,
          peer_uid bigint,
          peer_gid bigint,
          peer_pid bigint,
          trace_parent text,
          receive_count integer NOT NULL DEFAULT 0,
          redrive_count integer NOT NULL DEFAULT 0,
          attempts text,
          due timestamptz,
          alone boolean NOT NULL DEFAULT false,
          suspect boolean NOT NULL DEFAULT false,
          leased_by uuid,
          leased_until timestamptz,
          class text,
          reason text,
          dead_on timestamptz,
          -- What can't be read as a message, as it came.
          body bytea,
          body_size integer)
        WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0)
        """,
        "CREATE UNIQUE INDEX one_claim ON messages (user_id, apartment_id) WHERE holds",
        "CREATE UNIQUE INDEX one_message_a_key ON messages (user_id, idempotency_key) WHERE holds AND idempotency_key IS NOT NULL",
        "CREATE INDEX messages_by_arrival ON messages (accepted_on, id) WHERE place = 'QUEUED'",
        "CREATE INDEX messages_by_due ON messages (due, id) WHERE place = 'DEFERRED'",
        "CREATE INDEX messages_dead ON messages (id) WHERE place = 'DEAD'",
        "CREATE INDEX messages_alone ON messages (due, id) WHERE alone",
        "CREATE INDEX messages_suspect ON messages (id) WHERE suspect",
        // What hosts have forwarded and their spools or journals can still bring back: whatever has become of it since, it is
        // not to come again.
        """
        CREATE TABLE forwarded (
          mark uuid PRIMARY KEY, message uuid NOT NULL, spool text NOT NULL, taken_on timestamptz NOT NULL DEFAULT now())
        """,
        // Several rows, so that workers don't wait for each other; the sum counts.
        """
        CREATE TABLE totals (
          slot integer PRIMARY KEY, committed bigint NOT NULL DEFAULT 0, dead_lettered bigint NOT NULL DEFAULT 0)
        WITH (fillfactor = 20)
        """,
        "INSERT INTO totals SELECT generate_series(0, 15)",
        """
        CREATE TABLE control (
          only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
          version integer NOT NULL,
          identity uuid NOT NULL DEFAULT gen_random_uuid(),
          is_paused boolean NOT NULL DEFAULT false,
          paused_until timestamptz,
          paused_since timestamptz,
          paused_by bigint,
          moved_to text)
        """,
        "INSERT INTO control (version) VALUES (1)",
    ]
}

/// Locks that the database keeps for the programs of one schema.
enum Lock: String {
    /// Held by whoever changes the schema.
    case migration
    /// Shared by all who commit, and held alone by whoever pauses them.
    case committing
    /// Held by who moves bookings to or from the schema.
    case moving

    func key(_ target: DatabaseTarget) -> String {
        var hash = ContentHash()
        hash.mix("acms/\(target.schema)/\(rawValue)")
        return "\(Int64(bitPattern: hash.high))"
    }
}
