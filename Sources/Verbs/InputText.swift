import Bookings
import FoundationEssentials
import Varlink

/// Why a text is no booking; found before anything is sent.
struct InvalidInputText: Error {
    /// The field that it is about, by its name in CreateBookingInput.
    var field: String?
    let reason: String
}

extension CreateBookingInput {
    /// Reads the JSON that somebody wrote.
    static func decoded(from bytes: [UInt8]) -> Result<CreateBookingInput, InvalidInputText> {
        do {
            return .success(try JSONDecoder().decode(CreateBookingInput.self, from: Data(bytes)))
        } catch let error as UnknownParameter {
            return .failure(.init(field: error.path, reason: "the field \(error.path) is unknown."))
        } catch DecodingError.keyNotFound(let key, _) {
            return .failure(
                .init(field: key.stringValue, reason: "the field \(key.stringValue) is missing."))
        } catch DecodingError.typeMismatch(_, let context) where !context.codingPath.isEmpty {
            let field = context.codingPath[0].stringValue
            return .failure(.init(field: field, reason: "the field \(field) has a wrong type."))
        } catch DecodingError.dataCorrupted(let context) where !context.codingPath.isEmpty {
            let field = context.codingPath[0].stringValue
            return .failure(.init(field: field, reason: "the field \(field) has no allowed value."))
        } catch {
            return .failure(.init(reason: "it is not a JSON object."))
        }
    }
}
