namespace Callsheet.Wire
{
    /// <summary>A message a client sends.</summary>
    public abstract class ClientMessage
    {
        /// <summary>Its <c>type</c> on the wire.</summary>
        public abstract string Type { get; }

        internal abstract void WriteFields(JsonWriter w);
    }

    /// <summary>A client message that the server answers by a message with the same id, or by an error.</summary>
    public abstract class RequestMessage : ClientMessage
    {
        /// <summary>Given by the session when the request is sent.</summary>
        public long Id { get; internal set; }
    }

    /// <summary>A message the server sends.</summary>
    public abstract class ServerMessage
    {
        /// <summary>Its <c>type</c> on the wire.</summary>
        public abstract string Type { get; }

        /// <summary>The request it belongs to, if any.</summary>
        internal virtual long? RequestId => null;

        internal abstract void ReadFields(FieldReader f);
    }

    /// <summary>A server message that is kept until it is acked and replayed when a session resumes.</summary>
    public abstract class ReliableMessage : ServerMessage
    {
        /// <summary>Numbers the reliable messages of a session from 1 without gaps; null before welcome.</summary>
        public long? Seq { get; internal set; }
    }
}
