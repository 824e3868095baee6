using System.Globalization;
using Callsheet.Core;
using Callsheet.Wire;

namespace Callsheet.Editor
{
    /// <summary>What is shown of an NPC in the window and in its inspector.</summary>
    internal readonly struct NpcRow
    {
        private const int ShownChars = 80;

        internal NpcRow(Npc npc)
        {
            NpcState state = npc.LastState;
            Name = npc.Id;
            Distance = state == null ? "?" : state.DistanceS.HasValue ? state.DistanceS.Value.ToString("F1", CultureInfo.InvariantCulture) + " s" : "none";
            Estimator = state == null || state.Estimator == null ? "" : state.Estimator;
            Tier = state == null ? "?" : state.Tier.ToString().ToLowerInvariant();
            string text = npc.LastReply == null ? "" : npc.LastReply.State == ReplyState.Failed ? npc.LastReply.Error.ToString() : npc.LastReply.Text;
            Reply = text.Length > ShownChars ? text.Substring(0, ShownChars - 1) + "\u2026" : text;
            SortKey = state == null || !state.DistanceS.HasValue ? double.PositiveInfinity : state.DistanceS.Value;
        }

        internal string Name { get; }

        /// <summary>Seconds until its next expected call.</summary>
        internal string Distance { get; }

        /// <summary>Which estimator won.</summary>
        internal string Estimator { get; }

        internal string Tier { get; }

        internal string Reply { get; }

        internal double SortKey { get; }
    }
}
