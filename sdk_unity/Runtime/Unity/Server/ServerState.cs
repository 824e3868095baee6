namespace Callsheet
{
    /// <summary>The states of a server that a game runs as a process of its own.</summary>
    public enum ServerState
    {
        /// <summary>Not started, or stopped.</summary>
        Stopped,

        /// <summary>It was started and has not told its address.</summary>
        Starting,

        /// <summary>Clients can connect; its model may still be on the way.</summary>
        Running,

        /// <summary>It ended by itself and is started again after a pause.</summary>
        Waiting,

        /// <summary>It could not be started, or ended too often.</summary>
        Failed,
    }
}
