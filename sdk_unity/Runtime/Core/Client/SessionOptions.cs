using System;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>How a session connects and how much it takes in.</summary>
    public sealed class SessionOptions
    {
        /// <summary>A server on this machine.</summary>
        public const string DefaultUrl = "ws://127.0.0.1:8765/";

        /// <summary>The version of this package.</summary>
        public const string SdkVersion = "0.2.0";

        /// <summary>Where the server listens.</summary>
        public string Url { get; set; } = DefaultUrl;

        /// <summary>The world to own (game) or to join (mod, observer).</summary>
        public string World { get; set; } = "default";

        /// <summary>What this client is: a game, unless it is set.</summary>
        public Role Role { get; set; } = Role.Game;

        /// <summary>What the server was started with as its token; null if none.</summary>
        public string Token { get; set; }

        /// <summary>For the server's log.</summary>
        public string ClientName { get; set; } = "callsheet-unity";

        /// <summary>For the server's log.</summary>
        public string ClientVersion { get; set; } = SdkVersion;

        /// <summary>A connection that is not open, or a hello that is not answered, after this long is given up.</summary>
        public double ConnectTimeoutS { get; set; } = 5;

        /// <summary>The first wait before a reconnect; it doubles with every failure in a row.</summary>
        public double ReconnectMinS { get; set; } = 0.1;

        /// <summary>The longest wait before a reconnect.</summary>
        public double ReconnectMaxS { get; set; } = 5;

        /// <summary>How long a stop waits for the server to take the goodbye.</summary>
        public double CloseTimeoutS { get; set; } = 1;

        /// <summary>Messages handled in one tick of the session; the others wait for the next.</summary>
        public int MaxMessagesPerTick { get; set; } = 256;

        /// <summary>Messages waiting to be handled; beyond, the session stops reading from the socket.</summary>
        public int MaxQueuedMessages { get; set; } = 4096;

        /// <summary>Seed of the reconnect jitter.</summary>
        public uint Seed { get; set; } = 1;

        /// <summary>Throws if a value is out of its range, naming the option.</summary>
        internal Uri Check()
        {
            if (!Uri.TryCreate(Url, UriKind.Absolute, out Uri url) || (url.Scheme != "ws" && url.Scheme != "wss"))
            {
                throw new ArgumentException("Url must be ws://host:port/ or wss://host:port/, not '" + Url + "'");
            }
            string broken = World == null ? "is required" : TextRules.Broken(World, 1, 64, TextForm.Id);
            if (broken != null)
            {
                throw new ArgumentException("World " + broken + ", it is '" + World + "'");
            }
            Positive(nameof(ConnectTimeoutS), ConnectTimeoutS);
            Positive(nameof(ReconnectMinS), ReconnectMinS);
            Positive(nameof(CloseTimeoutS), CloseTimeoutS);
            Positive(nameof(MaxMessagesPerTick), MaxMessagesPerTick);
            Positive(nameof(MaxQueuedMessages), MaxQueuedMessages);
            if (!(ReconnectMaxS >= ReconnectMinS))
            {
                throw new ArgumentOutOfRangeException(nameof(ReconnectMaxS), ReconnectMaxS, "must be at least ReconnectMinS");
            }
            return url;
        }

        private static void Positive(string name, double value)
        {
            if (!(value > 0))
            {
                throw new ArgumentOutOfRangeException(name, value, "must be greater than 0");
            }
        }
    }
}
