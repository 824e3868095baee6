using System;
using System.Collections.Generic;
using System.Linq;
using Callsheet.Core;
using Callsheet.Wire;
using UnityEngine;

namespace Callsheet
{
    /// <summary>A player: put it on the object that moves. NPCs near a player are made ready to talk.</summary>
    [DisallowMultipleComponent]
    [AddComponentMenu("Callsheet/Callsheet Player")]
    public sealed class CallsheetPlayer : CallsheetMover
    {
        [Tooltip("Unique among players. Empty = the name of the object.")]
        [SerializeField]
        private string playerId = "";

        /// <summary>Under another id it is another player: the one with the old id leaves the world.</summary>
        public string PlayerId
        {
            get => Player != null ? Player.Id : playerId;
            set
            {
                playerId = value;
                Rename(value);
            }
        }

        /// <summary>The player under this component; null before it was first enabled.</summary>
        public Player Player => (Player)Mover;

        internal override string Kind => "player";

        internal override string GivenId => playerId;

        /// <summary>Says one line to several NPCs, at most 8: they answer in turn, each having heard the ones before.</summary>
        /// <returns>A reply of each, in their order. Cancelling one cancels all.</returns>
        /// <exception cref="CallsheetException">The text is empty or longer than 4,000 characters, or there are too many NPCs or none.</exception>
        public IReadOnlyList<Reply> SayTo(string text, params CallsheetNpc[] npcs)
        {
            foreach (CallsheetNpc npc in npcs)
            {
                npc.TellActions();
            }
            var say = new SayMessage
            {
                Text = text,
                Speaker = new Speaker { Kind = SpeakerKind.Player, Id = Player.Id },
                AudibleM = AudibleM,
            };
            return Client.World.Say(Array.ConvertAll(npcs, npc => npc.Npc), say);
        }

        internal override bool IsTaken(string id) => Client.World.Players.Any(player => player.Id == id);

        internal override Mover Enter(string id) => Client.World.Add(new PlayerSpec { Player = id, Name = SpokenName });

        internal override void Leave() => Client.World.Remove(Player);

        internal override void Appear() => Client.Register(this);

        internal override void Disappear() => Client.Unregister(this);

        /// <summary>The protocol changes NPCs in place, and players not.</summary>
        internal override void TellName() => ComeAnew();
    }
}
