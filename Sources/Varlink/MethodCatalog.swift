/// All methods of a server, by full name.
final class MethodCatalog: Sendable {
    private let methods: [String: Method?]
    private let interfaces: Set<String>

    init(_ interfaces: [Interface]) {
        var methods: [String: Method?] = [:]
        for interface in interfaces {
            for (name, method) in interface.methods {
                methods.updateValue(method, forKey: "\(interface.name).\(name)")
            }
        }
        self.methods = methods
        self.interfaces = Set(interfaces.map(\.name))
    }

    /// - Throws: `InterfaceNotFound`, `MethodNotFound` or `MethodNotImplemented`.
    func find(_ method: String) throws(ErrorReply) -> Method {
        switch methods[method] {
        case .some(.some(let found)):
            return found
        case .some(.none):
            throw ErrorReply(ServiceError.MethodNotImplemented(method: method))
        case .none:
            // A name without a dot has no method part: all of it is taken for the interface.
            let interface = method.lastIndex(of: ".").map { String(method[..<$0]) } ?? method
            guard method.contains("."), interfaces.contains(interface) else {
                throw ErrorReply(ServiceError.InterfaceNotFound(interface: interface))
            }
            throw ErrorReply(ServiceError.MethodNotFound(method: method))
        }
    }
}
