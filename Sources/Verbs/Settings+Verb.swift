import Bookings

extension Settings {
    /// The configuration that a verb works with.
    static func forVerb(_ file: String?, _ environment: [String: String]) throws(Failure) -> Settings {
        do throws(SettingsError) {
            return try load(file: file, environment: environment)
        } catch {
            throw .invalidConfiguration("\(error)")
        }
    }
}
