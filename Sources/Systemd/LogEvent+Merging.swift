import Logging

extension LogEvent {
    /// All metadata of a statement: the handler's, overridden by the provider's, overridden by its own; its
    /// error under `error`.
    func merged(into base: Logger.Metadata, provider: Logger.MetadataProvider?) -> Logger.Metadata {
        var merged = base
        if let provider { merged.merge(provider.get()) { $1 } }
        if let metadata { merged.merge(metadata) { $1 } }
        if let error, merged["error"] == nil { merged["error"] = "\(error)" }
        return merged
    }
}
