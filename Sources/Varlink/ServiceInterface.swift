/// The interface `org.varlink.service`, which every Varlink service has.
public enum ServiceInterface {
    /// The interface's name.
    public static let name = "org.varlink.service"

    /// The description, as systemd's and the Rust and Python services give it.
    public static let description = """
        # The Varlink Service Interface is provided by every varlink service. It
        # describes the service and the interfaces it implements.
        interface org.varlink.service

        # Get a list of all the interfaces a service provides and information
        # about the implementation.
        method GetInfo() -> (
          vendor: string,
          product: string,
          version: string,
          url: string,
          interfaces: []string
        )

        # Get the description of an interface that is implemented by this service.
        method GetInterfaceDescription(interface: string) -> (description: string)

        # The requested interface was not found.
        error InterfaceNotFound (interface: string)

        # The requested method was not found
        error MethodNotFound (method: string)

        # The interface defines the requested method, but the service does not
        # implement it.
        error MethodNotImplemented (method: string)

        # One of the passed parameters is invalid.
        error InvalidParameter (parameter: string)

        # Client is denied access
        error PermissionDenied ()

        # Method is expected to be called with 'more' set to true, but wasn't
        error ExpectedMore ()

        """

    /// Reply of GetInfo.
    public struct Info: Codable, Sendable, Hashable {
        /// Who makes the service.
        public var vendor: String
        /// What it is called.
        public var product: String
        /// Its version.
        public var version: String
        /// Where to read about it.
        public var url: String
        /// The names of its interfaces.
        public var interfaces: [String]
    }

    /// Parameters of GetInterfaceDescription.
    public struct DescriptionRequest: Codable, Sendable {
        /// The interface's name.
        public var interface: String
        /// The fields, all that may be given.
        public enum CodingKeys: String, CodingKey, CaseIterable { case interface }
        /// Creates the parameters.
        public init(interface: String) { self.interface = interface }
        /// Decodes the parameters; unknown ones are refused.
        public init(from decoder: any Decoder) throws {
            interface = try decoder.strictContainer(keyedBy: CodingKeys.self)
                .decode(String.self, forKey: .interface)
        }
    }

    /// Reply of GetInterfaceDescription.
    public struct Description: Codable, Sendable {
        /// The description, word for word.
        public var description: String
    }

    static func interface(
        of info: ServiceInfo, serving others: [Interface]
    ) throws(InterfaceDescriptionError) -> Interface {
        let reply = Info(
            vendor: info.vendor, product: info.product, version: info.version, url: info.url,
            interfaces: [name] + others.map(\.name))
        let descriptions = Dictionary(
            [(name, description)] + others.map { ($0.name, $0.description) },
            uniquingKeysWith: { first, _ in first })
        return try Interface(
            description: description,
            methods: [
                Method("GetInfo") { (_: NoParameters, _) throws(ErrorReply) -> Info in reply },
                Method("GetInterfaceDescription") {
                    (request: DescriptionRequest, _) throws(ErrorReply) -> Description in
                    guard let description = descriptions[request.interface] else {
                        throw ErrorReply(ServiceError.InterfaceNotFound(interface: request.interface))
                    }
                    return Description(description: description)
                },
            ])
    }
}
