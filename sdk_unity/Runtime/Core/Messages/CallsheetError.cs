using System;

namespace Callsheet.Wire
{
    /// <summary>Something that went wrong, with a code of the protocol's error tree.</summary>
    public sealed class CallsheetError
    {
        private const int ShownChars = 80;

        /// <summary>Makes an error of a code.</summary>
        public CallsheetError(
            ErrorCode code,
            string message,
            string field = null,
            string value = null,
            double? limit = null,
            double? retryAfterS = null,
            long? requestId = null)
        {
            Code = code;
            Message = message;
            Field = field;
            Value = value;
            Limit = limit;
            RetryAfterS = retryAfterS;
            RequestId = requestId;
        }

        /// <summary>What went wrong.</summary>
        public ErrorCode Code { get; }

        /// <summary>The branch of the error tree that the code belongs to.</summary>
        public ErrorKind Kind => (int)Code < ErrorTable.Kinds.Length ? ErrorTable.Kinds[(int)Code] : ErrorKind.Session;

        /// <summary>One sentence for a developer, with the fix if there is one.</summary>
        public string Message { get; }

        /// <summary>Dotted path of the offending field, if one is to blame.</summary>
        public string Field { get; }

        /// <summary>The offending value, shortened.</summary>
        public string Value { get; }

        /// <summary>The limit that was passed.</summary>
        public double? Limit { get; }

        /// <summary>When trying again makes sense, in seconds.</summary>
        public double? RetryAfterS { get; }

        /// <summary>The request that failed; null if none is to blame.</summary>
        public long? RequestId { get; }

        public override string ToString() => Name(Code) + ": " + Message;

        internal static CallsheetError From(ErrorMessage m) =>
            new CallsheetError(CodeOf(m.Code), m.Message, m.Field, m.Value, m.Limit, m.RetryAfterS, m.Id);

        /// <summary>The code of that name; a name this client does not know counts as internal.</summary>
        internal static ErrorCode CodeOf(string name)
        {
            int index = Array.IndexOf(ErrorTable.Names, name);
            return index < 0 ? ErrorCode.Internal : (ErrorCode)index;
        }

        internal static string Shorten(string text) =>
            text == null || text.Length <= ShownChars ? text : text.Substring(0, ShownChars - 3) + "...";

        private static string Name(ErrorCode code) =>
            (int)code < ErrorTable.Names.Length ? ErrorTable.Names[(int)code]
            : code == ErrorCode.SessionLost ? "session_lost" : "connection_failed";
    }

    /// <summary>A call that cannot be carried out, or an awaited reply that failed.</summary>
    public sealed class CallsheetException : Exception
    {
        /// <summary>Wraps an error.</summary>
        public CallsheetException(CallsheetError error)
            : base(error.ToString())
        {
            Error = error;
        }

        /// <summary>What went wrong, and how to mend it.</summary>
        public CallsheetError Error { get; }
    }
}
