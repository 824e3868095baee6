namespace Callsheet.Wire
{
    /// <summary>Text frames to server messages. Never throws, whatever the bytes.</summary>
    internal sealed class MessageDecoder
    {
        internal JsonDocument Document { get; } = new JsonDocument();

        /// <summary>What was wrong with the last frame; null if nothing.</summary>
        internal CallsheetError Error { get; private set; }

        /// <summary>Reads a frame up to its type.</summary>
        /// <returns>False if it is no JSON object with a string field <c>type</c>; see <see cref="Error"/>.</returns>
        internal bool Open(byte[] text, int start, int count)
        {
            Error = null;
            string broken = Document.Parse(text, start, count);
            if (broken != null)
            {
                Error = new CallsheetError(ErrorCode.BadJson, "not valid JSON: " + broken);
                return false;
            }
            bool isObject = Document.Kind(0) == JsonKind.Object;
            int type = isObject ? Document.Find(0, "type") : -1;
            if (type < 0 || Document.Kind(type) != JsonKind.String)
            {
                Error = new CallsheetError(
                    ErrorCode.BadMessage, "every message is a JSON object with a string field 'type'", isObject ? "type" : null);
                return false;
            }
            return true;
        }

        /// <summary>True if the opened frame is of that type.</summary>
        internal bool Is(string type) => Document.Equal(Document.Find(0, "type"), type);

        /// <summary>The type of the opened frame.</summary>
        internal string Type => Document.Text(Document.Find(0, "type"));

        /// <summary>The <c>seq</c> of the opened frame, even if the rest of it is broken; 0 if it has none.</summary>
        internal long Seq
        {
            get
            {
                int token = Document.Find(0, "seq");
                return token >= 0 && Document.TryInteger(token, out long seq) && seq > 0 && seq <= ProtocolInfo.MaxInteger ? seq : 0;
            }
        }

        /// <summary>Reads the opened frame.</summary>
        /// <returns>Null if the type is unknown or a field is wrong; see <see cref="Error"/>.</returns>
        internal ServerMessage Message()
        {
            ServerMessage message = ServerMessages.Create(Type);
            if (message == null)
            {
                string type = CallsheetError.Shorten(Type);
                Error = new CallsheetError(ErrorCode.UnknownType, "there is no message type '" + type + "'", "type", type);
                return null;
            }
            return Into(message) ? message : null;
        }

        /// <summary>Reads the opened frame into a message that exists already.</summary>
        internal bool Into(ServerMessage message)
        {
            message.ReadFields(Fields);
            return Error == null;
        }

        /// <summary>The fields of the opened frame.</summary>
        internal FieldReader Fields => new FieldReader(this, 0);

        /// <summary>Keeps the first thing that is wrong.</summary>
        internal void Refuse(string field, string what, string value, double? limit)
        {
            if (Error == null)
            {
                string message = Type + "." + field + " " + what;
                Error = new CallsheetError(ErrorCode.BadMessage, message, field, CallsheetError.Shorten(value), limit);
            }
        }
    }
}
