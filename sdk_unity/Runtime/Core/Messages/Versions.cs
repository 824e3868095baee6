namespace Callsheet.Wire
{
    /// <summary>Protocol versions, major.minor.</summary>
    internal static class Versions
    {
        private const string UpgradeServer = "upgrade the server: pip install --upgrade callsheet";
        private const string UpgradeClient = "upgrade the Unity package com.callsheet.sdk";

        internal static bool TryParse(string text, out int major, out int minor)
        {
            minor = 0;
            int dot = text.IndexOf('.');
            return Part(text, 0, dot, out major) && Part(text, dot + 1, text.Length, out minor);
        }

        /// <summary>Why a server of that version cannot be talked to, and which side to upgrade; null if it can.</summary>
        internal static string Mismatch(string server)
        {
            TryParse(ProtocolInfo.Protocol, out int ours, out _);
            bool known = TryParse(server, out int theirs, out _);
            return known && theirs == ours ? null : Both(server) + "; " + (known && theirs < ours ? UpgradeServer : UpgradeClient);
        }

        /// <summary>What to do about a server of an older minor version; null if it is not older.</summary>
        internal static string Lag(string server)
        {
            TryParse(ProtocolInfo.Protocol, out _, out int ours);
            TryParse(server, out _, out int theirs);
            return theirs < ours ? Both(server) + "; to use all of it " + UpgradeServer : null;
        }

        /// <summary>True if a server of that version knows what came with a minor version.</summary>
        internal static bool Has(string server, int minor) => TryParse(server, out _, out int theirs) && theirs >= minor;

        private static string Both(string server) =>
            "the server speaks protocol " + server + ", this client " + ProtocolInfo.Protocol;

        private static bool Part(string text, int start, int end, out int value)
        {
            value = 0;
            for (int i = start; i < end; i++)
            {
                if (text[i] < '0' || text[i] > '9')
                {
                    return false;
                }
                value = (value * 10) + (text[i] - '0');
            }
            return end - start >= 1 && end - start <= 5;
        }
    }
}
