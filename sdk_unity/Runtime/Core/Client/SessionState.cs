namespace Callsheet.Core
{
    /// <summary>The states of a session's connection.</summary>
    public enum SessionState
    {
        /// <summary>Not started, or stopped by the game.</summary>
        Stopped,

        /// <summary>The WebSocket is being opened.</summary>
        Connecting,

        /// <summary>The WebSocket is open, <c>welcome</c> is awaited.</summary>
        Greeting,

        /// <summary>Messages flow.</summary>
        Open,

        /// <summary>The connection broke or never was; the next attempt comes after a wait.</summary>
        Waiting,

        /// <summary>The goodbye is on its way.</summary>
        Closing,

        /// <summary>The server refused in a way that trying again does not change; see the last error.</summary>
        Failed,
    }
}
