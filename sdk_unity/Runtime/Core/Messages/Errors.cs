// Generated from sdk_python/callsheet/wire by Tools~/generate_messages.py; do not edit.

namespace Callsheet.Wire
{
    /// <summary>What went wrong. The first values stand in messages, the last two are found by the client itself.</summary>
    public enum ErrorCode
    {
        /// <summary>Fix: Send valid JSON in UTF-8.</summary>
        BadJson,
        /// <summary>Fix: Correct the field the error names.</summary>
        BadMessage,
        /// <summary>Fix: Check the spelling of <c>type</c>, or the versions.</summary>
        UnknownType,
        /// <summary>Fix: Correct the header field the error names; begin with a keyframe.</summary>
        BadTick,
        /// <summary>Fix: Count ticks upwards.</summary>
        TickOutOfOrder,
        /// <summary>Fix: Send game time from one clock; when it goes back, send a keyframe with <c>rewind</c>.</summary>
        TimeBackwards,
        /// <summary>Fix: Send a valid <c>hello</c> first.</summary>
        HelloExpected,
        /// <summary>Fix: Split it; see <c>welcome.limits</c>.</summary>
        MessageTooLarge,
        /// <summary>Fix: Pass the token the server was started with for this role.</summary>
        Unauthorized,
        /// <summary>Fix: Connect with a role that may send this.</summary>
        Forbidden,
        /// <summary>Fix: Upgrade the side the message names.</summary>
        VersionMismatch,
        /// <summary>Fix: Choose another world, or end the other game.</summary>
        WorldTaken,
        /// <summary>Fix: No game is in this world now: wait for one.</summary>
        WorldNotReady,
        /// <summary>Fix: Spawn it first; check the id.</summary>
        UnknownNpc,
        /// <summary>Fix: Spawn it first; check the id.</summary>
        UnknownPlayer,
        /// <summary>Fix: Use the handles of the last <c>spawned</c>.</summary>
        UnknownHandle,
        /// <summary>Fix: Ask <c>list_saves</c> for the names there are.</summary>
        UnknownSave,
        /// <summary>Fix: Choose another id, or despawn first.</summary>
        DuplicateNpc,
        /// <summary>Fix: Choose another id, or despawn first.</summary>
        DuplicatePlayer,
        /// <summary>Fix: Send finite numbers within the limits.</summary>
        BadValue,
        /// <summary>Fix: Send less, or wait <c>retry_after_s</c>.</summary>
        LimitExceeded,
        /// <summary>Fix: Count request ids upwards.</summary>
        DuplicateRequest,
        /// <summary>Fix: Name an action that waits for its result.</summary>
        UnknownRequest,
        /// <summary>Fix: Say something else: the server's moderation refused the text.</summary>
        TextRefused,
        /// <summary>Fix: Try again after <c>retry_after_s</c>.</summary>
        EngineUnavailable,
        /// <summary>Fix: Try again after <c>retry_after_s</c>; ask less.</summary>
        EngineOverloaded,
        /// <summary>Fix: Shorten lore, persona or text.</summary>
        ContextTooLong,
        /// <summary>Fix: Install the adapter, or name another.</summary>
        UnknownAdapter,
        /// <summary>Fix: Try again; see the server log.</summary>
        GenerationFailed,
        /// <summary>Fix: The server was restarted meanwhile: ask again.</summary>
        Interrupted,
        /// <summary>Fix: Free disk space; ask again after <c>retry_after_s</c>.</summary>
        StorageFailed,
        /// <summary>Fix: Send <c>hello</c> right after connecting.</summary>
        HelloTimeout,
        /// <summary>Fix: Resume; send <c>ping</c> in time.</summary>
        HeartbeatTimeout,
        /// <summary>Fix: The session goes on in a newer connection.</summary>
        Superseded,
        /// <summary>Fix: Read faster, <c>ack</c> more often; then start anew.</summary>
        SlowConsumer,
        /// <summary>Fix: Stop sending what is refused.</summary>
        Flooding,
        /// <summary>Fix: Connect again after <c>reconnect_after_s</c>; start anew.</summary>
        Draining,
        /// <summary>Fix: Resume; report the bug.</summary>
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
        /// <summary>The client said <c>bye</c>.</summary>
        public const int Normal = 1000;
        /// <summary>After the error <c>message_too_large</c>.</summary>
        public const int MessageTooBig = 1009;
        /// <summary>After the error <c>hello_expected</c>, or another error in answer to <c>hello</c> that has no close code.</summary>
        public const int ProtocolError = 4000;
        /// <summary>After the error <c>unauthorized</c>.</summary>
        public const int Unauthorized = 4001;
        /// <summary>After the error <c>version_mismatch</c>.</summary>
        public const int VersionMismatch = 4002;
        /// <summary>After the error <c>hello_timeout</c>.</summary>
        public const int HelloTimeout = 4004;
        /// <summary>After the error <c>world_taken</c>.</summary>
        public const int WorldTaken = 4005;
        /// <summary>After the error <c>heartbeat_timeout</c>.</summary>
        public const int HeartbeatTimeout = 4006;
        /// <summary>After the error <c>superseded</c>.</summary>
        public const int Superseded = 4007;
        /// <summary>After the error <c>slow_consumer</c>.</summary>
        public const int SlowConsumer = 4008;
        /// <summary>After the error <c>flooding</c>.</summary>
        public const int Flooding = 4009;
        /// <summary>After the error <c>draining</c>.</summary>
        public const int Draining = 4010;
        /// <summary>After the error <c>internal</c>.</summary>
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
