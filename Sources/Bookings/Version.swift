public import Varlink

/// The version of acms.
public let acmsVersion = "0.1.0"

extension ServiceInfo {
    /// What GetInfo says of acms.
    ///
    /// - Parameter product: the program that answers.
    public static func acms(product: String) -> ServiceInfo {
        ServiceInfo(vendor: "acms", product: product, version: acmsVersion, url: "https://varlink.org")
    }
}
