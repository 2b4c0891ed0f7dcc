import Glibc

/// memfd_create(2), which the compiler's module of the C library leaves out.
@_silgen_name("memfd_create")
private func createInMemory(_ name: UnsafePointer<CChar>, _ flags: CUnsignedInt) -> CInt

/// A file in memory that is open and has no name in any directory.
struct MemoryFile {
    let descriptor: CInt

    init() {
        let closesOnExec: CUnsignedInt = 1
        descriptor = createInMemory("fuzz", closesOnExec)
        require(descriptor >= 0, "memfd_create: \(errno)")
    }

    /// Puts bytes in place of what it holds.
    func replace(with bytes: UnsafeRawBufferPointer) {
        require(ftruncate(descriptor, 0) == 0, "ftruncate: \(errno)")
        require(pwrite(descriptor, bytes.baseAddress, bytes.count, 0) == bytes.count, "pwrite: \(errno)")
    }
}
