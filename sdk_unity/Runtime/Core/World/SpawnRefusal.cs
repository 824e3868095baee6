using System;
using System.Collections.Generic;
using System.Globalization;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <summary>
    /// Finds who is to blame for a spawn that the server refused. It refuses a spawn whole, and says why
    /// of the first fault it finds.
    /// </summary>
    internal static class SpawnRefusal
    {
        private const string NpcsField = "npcs";
        private const string PlayersField = "players";

        /// <summary>Those that the error is about, each with its own error; everybody if it names nobody.</summary>
        internal static List<KeyValuePair<Mover, CallsheetError>> Find(CallsheetError error, Npc[] npcs, Player[] players)
        {
            string[] path = (error.Field ?? "").Split(new[] { '.' }, 3);
            Mover[] kind = path[0] == NpcsField ? npcs : path[0] == PlayersField ? (Mover[])players : Array.Empty<Mover>();
            int index = -1;
            bool named = path.Length > 1 && int.TryParse(path[1], NumberStyles.None, CultureInfo.InvariantCulture, out index) && index < kind.Length;
            if (named)
            {
                return Each(SameFault(error, kind, index), Own(error, path.Length > 2 ? path[2] : null));
            }
            if (kind.Length > 0)
            {
                return Each(Surplus(error, kind), error);
            }
            List<KeyValuePair<Mover, CallsheetError>> all = Each(npcs, error);
            all.AddRange(Each(players, error));
            return all;
        }

        /// <summary>An adapter that the server does not know stands in many specs: all of them are found at once.</summary>
        private static Mover[] SameFault(CallsheetError error, Mover[] kind, int index)
        {
            bool isAdapter = error.Code == ErrorCode.UnknownAdapter && error.Value != null;
            return Array.FindAll(kind, mover => mover == kind[index] || (isAdapter && "\"" + (mover as Npc)?.Spec.Adapter + "\"" == error.Value));
        }

        /// <summary>The last ones of a batch for which there is no room; all of them if the error has no numbers.</summary>
        private static Mover[] Surplus(CallsheetError error, Mover[] kind)
        {
            Mover[] wanted = Array.FindAll(kind, mover => mover.Presence == Presence.UnderWay);
            bool counted = int.TryParse(error.Value, NumberStyles.None, CultureInfo.InvariantCulture, out int asked);
            if (error.Code != ErrorCode.LimitExceeded || !counted || error.Limit == null)
            {
                return wanted;
            }
            int room = (int)Math.Max(0, Math.Min(wanted.Length, kind.Length - (asked - error.Limit.Value)));
            return asked > error.Limit ? new List<Mover>(wanted).GetRange(room, wanted.Length - room).ToArray() : wanted;
        }

        private static CallsheetError Own(CallsheetError error, string field) => new CallsheetError(
            error.Code, error.Message, field, error.Value, error.Limit, error.RetryAfterS, error.RequestId);

        private static List<KeyValuePair<Mover, CallsheetError>> Each(Mover[] movers, CallsheetError error)
        {
            var told = new List<KeyValuePair<Mover, CallsheetError>>();
            foreach (Mover mover in movers)
            {
                if (mover.Presence == Presence.UnderWay)
                {
                    told.Add(new KeyValuePair<Mover, CallsheetError>(mover, error));
                }
            }
            return told;
        }
    }
}
