using System.Collections.Generic;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <content>Lines to several NPCs at once.</content>
    public sealed partial class GameWorld
    {
        /// <summary>
        /// Puts one line to several NPCs, at most 8: they answer in turn, each having heard the ones before. Needs a
        /// server of protocol 1.3.
        /// </summary>
        /// <returns>A reply of each, in their order. Cancelling one cancels all.</returns>
        /// <exception cref="CallsheetException">A field breaks a rule of the protocol.</exception>
        public IReadOnlyList<Reply> Say(IReadOnlyList<Npc> npcs, SayMessage say)
        {
            say.Npc = null;
            say.Npcs = Ids(npcs);
            _spawner.Check(say);
            if (_session.State == SessionState.Open)
            {
                _spawner.Flush();
            }
            var replies = new List<Reply>();
            foreach (Npc npc in npcs)
            {
                replies.Add(new Reply(_session, npc, say));
            }
            _session.Request(say, new Round(replies));
            return replies;
        }

        private static string[] Ids(IReadOnlyList<Npc> npcs)
        {
            var ids = new string[npcs.Count];
            for (int i = 0; i < ids.Length; i++)
            {
                ids[i] = npcs[i].Id;
            }
            return ids;
        }
    }
}
