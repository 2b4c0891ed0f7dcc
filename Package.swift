// swift-tools-version: 6.2

// Why each dependency is here:
// - swift-nio: sockets without a thread a peer; the server and the client of `Varlink` stand on it.
// - GRDB.swift: SQLite with migrations, savepoints, statement caching and typed errors; the table stands on it.
// - swift-argument-parser: verbs, options, help and completions of the three programs.
// - swift-log: the logging interface that every library above speaks; `Systemd` backs it with the journal.
// - swift-service-lifecycle: start order, SIGTERM and graceful shutdown of the daemons.
// - swift-configuration: built-in defaults under a YAML file under environment variables.
// - Yams: reads the YAML file; used directly, because only it names unknown keys and the line of a mistake.
// - swift-collections: the heap that orders deferred messages by when they are due.
// - hdrhistogram-swift: latencies whose percentiles are right to two digits in little memory, however long a daemon runs.
// - swift-system: typed file descriptors, errno and paths in `Spool`.
// CLinux and CSQLite declare a few functions of the C library and of SQLite that Swift can't call otherwise.
// CPostgreSQL finds libpq, PostgreSQL's own client, when the engine for many hosts is configured.
// libsystemd, through pkg-config, gives socket passing, notifications, the watchdog and the journal.

import PackageDescription

var settings: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]
// A newer compiler's new warnings must not keep users from building, so they are errors in CI only.
if Context.environment["CI"] != nil { settings.append(.treatAllWarnings(as: .error)) }

let nio: [Target.Dependency] = [
    .product(name: "NIOCore", package: "swift-nio"),
    .product(name: "NIOPosix", package: "swift-nio"),
]
let argumentParser = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let lifecycle = Target.Dependency.product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let unixSignals = Target.Dependency.product(name: "UnixSignals", package: "swift-service-lifecycle")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let grdb = Target.Dependency.product(name: "GRDB", package: "GRDB.swift")
let sqlite = Target.Dependency.product(name: "GRDBSQLite", package: "GRDB.swift")
let histogram = Target.Dependency.product(name: "Histogram", package: "hdrhistogram-swift")

let package = Package(
    name: "acms",
    products: [
        .executable(name: "acms-frontd", targets: ["acms-frontd"]),
        .executable(name: "acms-workerd", targets: ["acms-workerd"]),
        .executable(name: "acmsctl", targets: ["acmsctl"]),
        // The three in one, for packages.
        .executable(name: "acms", targets: ["acms"]),
        // For tests: a library to be preloaded must be a file of its own.
        .library(name: "DiskFaults", type: .dynamic, targets: ["DiskFaults"]),
        // For the benchmark, as well.
        .library(name: "SlowSyncs", type: .dynamic, targets: ["SlowSyncs"]),
        // For the torture programs, as well.
        .library(name: "SkippedSyncs", type: .dynamic, targets: ["SkippedSyncs"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ],
    targets: [
        .target(name: "Varlink", dependencies: nio + [logging]),
        .systemLibrary(name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
        .target(name: "Systemd", dependencies: ["CSystemd", logging]),
        .systemLibrary(name: "CLinux"),
        .target(
            name: "Bookings",
            dependencies: [
                "CLinux", "Varlink", .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "Yams", package: "Yams"), system,
            ],
            resources: [
                .embedInCode("Interfaces/io.acms.Bookings.varlink"),
                .embedInCode("Interfaces/io.acms.Caretaker.varlink"),
                .embedInCode("Interfaces/io.acms.Queue.varlink"),
            ]),
        .target(
            name: "Spool",
            dependencies: [
                "Bookings", "CLinux", "Varlink", system,
                .product(name: "HeapModule", package: "swift-collections"),
            ]),
        .target(name: "CPostgreSQL"),
        .target(name: "PostgreSQL", dependencies: ["Bookings", "CPostgreSQL", "Spool", "Varlink"]),
        .systemLibrary(name: "CSQLite"),
        .target(name: "BookingTable", dependencies: ["Bookings", "CSQLite", grdb, sqlite]),
        .target(
            name: "Daemon",
            dependencies: [
                "Bookings", "Systemd", "Varlink", argumentParser, histogram, lifecycle, logging, unixSignals,
            ]),
        .target(
            name: "Front",
            dependencies: [
                "Bookings", "BookingTable", "Daemon", "PostgreSQL", "Spool", "Systemd", "Varlink",
                argumentParser, lifecycle, logging,
            ]),
        .target(
            name: "Worker",
            dependencies: [
                "Bookings", "BookingTable", "Daemon", "PostgreSQL", "Spool", "Systemd", "Varlink",
                argumentParser, lifecycle, logging,
            ]),
        .target(
            name: "Verbs",
            dependencies: [
                "Bookings", "BookingTable", "PostgreSQL", "Spool", "Systemd", "Varlink", argumentParser,
                histogram,
            ]),
        .executableTarget(name: "acms-frontd", dependencies: ["Front", argumentParser]),
        .executableTarget(name: "acms-workerd", dependencies: ["Worker", argumentParser]),
        .executableTarget(name: "acmsctl", dependencies: ["Verbs"]),
        .executableTarget(name: "acms", dependencies: ["Front", "Verbs", "Worker", argumentParser]),
        .target(name: "DiskFaults", path: "Tests/DiskFaults"),
        .target(name: "SlowSyncs", path: "Tests/SlowSyncs"),
        .target(name: "SkippedSyncs", path: "Tests/Torture/SkippedSyncs"),
        .target(name: "CBench", path: "Tests/CBench", linkerSettings: [.linkedLibrary("sqlite3")]),
        .executableTarget(name: "acms-bench", dependencies: ["CBench", argumentParser], path: "Tests/Bench"),
        .target(name: "Support", dependencies: ["Bookings", "Varlink"], path: "Tests/Support"),
        .testTarget(name: "BenchTests", dependencies: ["acms-bench"]),
        .testTarget(name: "SpoolTests", dependencies: ["Bookings", "Spool", "Support", "Varlink", system]),
        .testTarget(name: "SystemdTests", dependencies: ["Support", "Systemd", logging]),
        .testTarget(
            name: "VarlinkTests",
            dependencies: ["Varlink", logging] + nio),
        .testTarget(name: "BookingsTests", dependencies: ["Bookings", "Support", "Varlink"]),
        .testTarget(name: "BookingTableTests", dependencies: ["Bookings", "BookingTable", "Support", grdb]),
        .testTarget(
            name: "AcmsctlTests",
            dependencies: [
                "acmsctl", "Bookings", "PostgreSQL", "Support", "Systemd", "Varlink", "Verbs", argumentParser,
                logging,
            ]),
        .testTarget(
            name: "DaemonTests", dependencies: ["Bookings", "Daemon", "Systemd", "Varlink", logging]),
        .testTarget(
            name: "MigrationTests",
            dependencies: [
                "acmsctl", "Bookings", "BookingTable", "PostgreSQL", "Spool", "Support", "Varlink",
            ]),
        .testTarget(name: "FrontTests", dependencies: ["Bookings", "Front", "Spool", "Support", "Varlink"]),
        .testTarget(name: "WorkerTests", dependencies: ["Bookings", "Support", "Varlink", "Worker"]),
        .testTarget(
            name: "PostgreSQLTests", dependencies: ["Bookings", "PostgreSQL", "Support", "Varlink"]),
        .testTarget(
            name: "ModelTests",
            dependencies: [
                "Bookings", "BookingTable", "Front", "PostgreSQL", "Spool", "Support", "Systemd", "Varlink",
                "Worker", logging, system,
            ]),
        .testTarget(
            name: "IntegrationTests",
            dependencies: ["acms-frontd", "acms-workerd", "acmsctl", "Bookings", "Support", "Varlink"]),
    ]
)

// Fuzzing needs another kind of build than all else, so only Tests/Torture/build-fuzz asks for it.
if Context.environment["ACMS_FUZZ"] != nil {
    let watched: Set = ["Bookings", "Spool", "Varlink"]
    for target in package.targets where watched.contains(target.name) {
        target.swiftSettings = [.unsafeFlags(["-sanitize=fuzzer"])]
    }
    package.targets.append(
        .executableTarget(
            name: "acms-fuzz",
            dependencies: [
                "Bookings", "Spool", "Varlink", logging, system,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOEmbedded", package: "swift-nio"),
            ],
            path: "Tests/Torture/Fuzz"))
}

for target in package.targets where target.type != .system {
    target.swiftSettings = (target.swiftSettings ?? []) + settings
}
