extension CallEnvelope {
    /// Reads a call of a method that can read its parameters quickly; nil when it is another, or has any form but
    /// the common one. Such a call is left to the general decoder, which also says what is wrong with it.
    init?(quickly bytes: UnsafeRawBufferPointer, _ catalog: MethodCatalog) {
        var cursor = JSONCursor(bytes)
        var method: (name: String, body: (inout JSONCursor) -> Method.Body?)?
        var body: Method.Body?
        var oneway: Bool?
        var more: Bool?
        let isRead = cursor.readObject { key, cursor in
            switch key {
            case "method" where method == nil:
                guard let name = cursor.readString(), let found = try? catalog.find(name),
                    let prepare = found.prepareQuickly, !found.requiresMore
                else { return false }
                method = (name, prepare)
                return true
            case "parameters" where body == nil:
                body = method?.body(&cursor)
                return body != nil
            case "oneway" where oneway == nil:
                oneway = cursor.readBool()
                return oneway != nil
            case "more" where more == nil:
                more = cursor.readBool()
                return more != nil
            default:
                return false
            }
        }
        guard isRead, cursor.isAtEnd, let method, let body else { return nil }
        self.init(
            method: method.name, isOneway: oneway ?? false, wantsMore: more ?? false, action: .run(body))
    }
}
