using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>What a close code means for a client (docs/wire-protocol.md, "Close codes").</summary>
    internal static class CloseRules
    {
        internal const int GoingAway = 1001;
        internal const int NoStatus = 1005;
        internal const int Abnormal = 1006;

        /// <summary>True if the session can go on in a new connection.</summary>
        internal static bool IsResumable(int code) =>
            CloseCodes.IsResumable(code) || code == Abnormal || code == GoingAway || code == NoStatus;

        /// <summary>False for the closes after which trying again by itself does not help.</summary>
        internal static bool Reconnects(int code) =>
            code != CloseCodes.Normal && !CloseCodes.IsFinal(code);

        /// <summary>The reason, or the code if there is none.</summary>
        internal static string Why(int code, string reason) =>
            string.IsNullOrEmpty(reason) ? "closed with code " + code : reason;
    }
}
