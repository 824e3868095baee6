using System.Collections.Generic;
using System.Linq;
using Callsheet.Wire;

namespace Callsheet.Core
{
    /// <content>What NPCs know by where they are, when, and how quests stand.</content>
    public sealed partial class GameWorld
    {
        private readonly SortedSet<string> _flags = new SortedSet<string>(System.StringComparer.Ordinal);
        private ConditionalLore[] _lore;

        /// <summary>Lore with conditions, in place of that before: known only where, when and while all of them hold.</summary>
        /// <exception cref="CallsheetException">An entry breaks a rule of the protocol.</exception>
        public void SetLore(params ConditionalLore[] entries)
        {
            _spawner.Check(new ConfigureWorldMessage { LoreEntries = entries });
            _lore = entries;
            Tell(new ConfigureWorldMessage { LoreEntries = entries });
        }

        /// <summary>Sets a flag that lore may ask for, or takes it back: a quest's state.</summary>
        /// <exception cref="CallsheetException">The name has other characters than letters, digits and _ . : -, or there are more than 256 flags.</exception>
        public void SetFlag(string flag, bool isSet = true)
        {
            string[] flags = isSet ? _flags.Append(flag).Distinct().ToArray() : _flags.Where(other => other != flag).ToArray();
            _spawner.Check(new ConfigureWorldMessage { Flags = flags });
            if (isSet ? _flags.Add(flag) : _flags.Remove(flag))
            {
                Tell(new ConfigureWorldMessage { Flags = _flags.ToArray() });
            }
        }

        /// <summary>True if the flag is set.</summary>
        public bool HasFlag(string flag) => _flags.Contains(flag);

        /// <summary>Tells a new session what holds for the whole world.</summary>
        private void Configure()
        {
            var configure = new ConfigureWorldMessage
            {
                Lore = _options.Lore,
                PlayerMaxSpeedMps = _options.PlayerMaxSpeedMps,
                NpcMaxSpeedMps = _options.NpcMaxSpeedMps,
                LoreEntries = _spawner.IsServerCurrent ? _lore : null,
                Flags = _spawner.IsServerCurrent && _flags.Count > 0 ? _flags.ToArray() : null,
            };
            if (configure.Lore != null || configure.PlayerMaxSpeedMps != null || configure.NpcMaxSpeedMps != null
                || configure.LoreEntries != null || configure.Flags != null)
            {
                _session.Request(configure, null, true);
            }
        }

        /// <summary>Without a session there is nothing to tell: a new one is told all.</summary>
        private void Tell(ConfigureWorldMessage change)
        {
            if (_session.Welcome != null && _spawner.IsServerCurrent)
            {
                _session.Request(change);
            }
        }
    }
}
