/// The standard errors of `org.varlink.service`, as https://varlink.org/Service and sd-varlink(3) define them.
public enum ServiceError {
    /// The requested interface isn't served.
    public struct InterfaceNotFound: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = "org.varlink.service.InterfaceNotFound"
        /// The interface asked for.
        public var interface: String
        /// Creates the error.
        public init(interface: String) { self.interface = interface }
    }

    /// The interface is served, but has no such method.
    public struct MethodNotFound: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = "org.varlink.service.MethodNotFound"
        /// The full name of the method asked for.
        public var method: String
        /// Creates the error.
        public init(method: String) { self.method = method }
    }

    /// The interface declares the method, but this service doesn't implement it.
    public struct MethodNotImplemented: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = "org.varlink.service.MethodNotImplemented"
        /// The full name of the method asked for.
        public var method: String
        /// Creates the error.
        public init(method: String) { self.method = method }
    }

    /// A parameter is missing, unknown, or has the wrong type or value.
    public struct InvalidParameter: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = "org.varlink.service.InvalidParameter"
        /// The parameter's path, for example `input.startDate` or `inputs[3].startDate`; where the call as a
        /// whole can't be read, a sentence that says why.
        public var parameter: String
        /// Creates the error.
        public init(parameter: String) { self.parameter = parameter }
    }

    /// The method can only be called with `more`.
    public struct ExpectedMore: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = "org.varlink.service.ExpectedMore"
        /// Creates the error.
        public init() {}
    }

    /// The peer may not call the method.
    public struct PermissionDenied: VarlinkError, Codable, Hashable {
        /// The full name of the error.
        public static let errorName = "org.varlink.service.PermissionDenied"
        /// Why, where it may be told. The standard error has no parameters; clients ignore extra ones.
        public var reason: String?
        /// Creates the error.
        public init(reason: String? = nil) { self.reason = reason }
    }
}
