// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

namespace Callsheet.Wire
{
    /// <summary>What went wrong. The first values stand in messages, the last two are found by the client itself.</summary>
    public enum ErrorCode
    {
        BadJson,
        BadMessage,
        UnknownType,
        BadTick,
        TickOutOfOrder,
        TimeBackwards,
        HelloExpected,
        MessageTooLarge,
        Unauthorized,
        Forbidden,
        VersionMismatch,
        WorldTaken,
        WorldNotReady,
        UnknownNpc,
        UnknownPlayer,
        UnknownHandle,
        UnknownSave,
        DuplicateNpc,
        DuplicatePlayer,
        BadValue,
        LimitExceeded,
        DuplicateRequest,
        UnknownRequest,
        TextRefused,
        EngineUnavailable,
        EngineOverloaded,
        ContextTooLong,
        UnknownAdapter,
        GenerationFailed,
        Interrupted,
        StorageFailed,
        HelloTimeout,
        HeartbeatTimeout,
        Superseded,
        SlowConsumer,
        Flooding,
        Draining,
        Internal,
        /// <summary>No server answered, or the connection broke.</summary>
        ConnectionFailed,
        /// <summary>The session ended before the request was answered.</summary>
        SessionLost,
    }

    /// <summary>The branches of the error tree.</summary>
    public enum ErrorKind
    {
        /// <summary>A message is not valid callsheet.v1.</summary>
        Protocol,
        /// <summary>The token or the role does not allow this.</summary>
        Auth,
        /// <summary>The two sides speak different major versions.</summary>
        Version,
        /// <summary>The world does not have, or does not allow, what was named.</summary>
        World,
        /// <summary>The request cannot be accepted as sent.</summary>
        Request,
        /// <summary>The engine failed, is overloaded or is not there.</summary>
        Engine,
        /// <summary>The session as a whole ended or cannot go on.</summary>
        Session,
    }

    /// <summary>WebSocket close codes (RFC 6455, section 7.4); 4000 to 4999 are Callsheet's.</summary>
    public static class CloseCodes
    {
        public const int Normal = 1000;
        public const int MessageTooBig = 1009;
        public const int ProtocolError = 4000;
        public const int Unauthorized = 4001;
        public const int VersionMismatch = 4002;
        public const int HelloTimeout = 4004;
        public const int WorldTaken = 4005;
        public const int HeartbeatTimeout = 4006;
        public const int Superseded = 4007;
        public const int SlowConsumer = 4008;
        public const int Flooding = 4009;
        public const int Draining = 4010;
        public const int Internal = 4011;

        /// <summary>True if the session can be resumed after a close with this code that the server sent.</summary>
        internal static bool IsResumable(int code)
        {
            return code == HeartbeatTimeout
                || code == Internal;
        }

        /// <summary>True if trying again by itself after this close would end the same way.</summary>
        internal static bool IsFinal(int code)
        {
            return code == MessageTooBig
                || code == ProtocolError
                || code == Unauthorized
                || code == VersionMismatch
                || code == WorldTaken
                || code == Superseded
                || code == Flooding;
        }
    }

    internal static class ErrorTable
    {
        internal static readonly string[] Names =
        {
            "bad_json", "bad_message", "unknown_type", "bad_tick", "tick_out_of_order",
            "time_backwards", "hello_expected", "message_too_large", "unauthorized",
            "forbidden", "version_mismatch", "world_taken", "world_not_ready",
            "unknown_npc", "unknown_player", "unknown_handle", "unknown_save",
            "duplicate_npc", "duplicate_player", "bad_value", "limit_exceeded",
            "duplicate_request", "unknown_request", "text_refused",
            "engine_unavailable", "engine_overloaded", "context_too_long",
            "unknown_adapter", "generation_failed", "interrupted", "storage_failed",
            "hello_timeout", "heartbeat_timeout", "superseded", "slow_consumer",
            "flooding", "draining", "internal",
        };
        internal static readonly ErrorKind[] Kinds =
        {
            ErrorKind.Protocol, ErrorKind.Protocol, ErrorKind.Protocol,
            ErrorKind.Protocol, ErrorKind.Protocol, ErrorKind.Protocol,
            ErrorKind.Protocol, ErrorKind.Protocol, ErrorKind.Auth, ErrorKind.Auth,
            ErrorKind.Version, ErrorKind.World, ErrorKind.World, ErrorKind.World,
            ErrorKind.World, ErrorKind.World, ErrorKind.World, ErrorKind.World,
            ErrorKind.World, ErrorKind.World, ErrorKind.World, ErrorKind.Request,
            ErrorKind.Request, ErrorKind.Request, ErrorKind.Engine, ErrorKind.Engine,
            ErrorKind.Engine, ErrorKind.Engine, ErrorKind.Engine, ErrorKind.Engine,
            ErrorKind.Engine, ErrorKind.Session, ErrorKind.Session, ErrorKind.Session,
            ErrorKind.Session, ErrorKind.Session, ErrorKind.Session, ErrorKind.Session,
        };

        /// <summary>The close code that follows an error; 0 = the session goes on.</summary>
        internal static readonly int[] ClosesWith =
        {
            0, 0, 0, 0, 0, 0, 4000, 1009, 4001, 0, 4002, 4005, 0, 0, 0, 0, 0, 0, 0, 0,
            0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4004, 4006, 4007, 4008, 4009, 4010, 4011,
        };
    }
}
