using System;
using System.Collections.Generic;
using Callsheet.Core;
using Callsheet.Wire;
using UnityEngine;

namespace Callsheet
{
    /// <summary>A player: put it on the object that moves. NPCs near a player are made ready to talk.</summary>
    [DisallowMultipleComponent]
    [AddComponentMenu("Callsheet/Callsheet Player")]
    public sealed class CallsheetPlayer : MonoBehaviour
    {
        [Tooltip("Unique among players. Empty = the name of the object.")]
        [SerializeField]
        private string playerId = "";

        [Tooltip("What NPCs call the player. Empty = the name of the object, without (Clone) and numbers in brackets.")]
        [SerializeField]
        private string displayName = "";

        [Tooltip("How far NPCs overhear what it says, and what it is answered, m. 0 = who is spoken to alone hears it.")]
        [Min(0f)]
        [SerializeField]
        private float audible;

        private CallsheetClient _client;
        private Player _player;
        private Motion _motion;

        /// <summary>Under another id it is another player: the one with the old id leaves the world.</summary>
        public string PlayerId
        {
            get => _player != null ? _player.Id : playerId;
            set
            {
                playerId = value;
                if (_player != null && _player.Id != value)
                {
                    Replace();
                }
            }
        }

        public string DisplayName
        {
            get => displayName;
            set => displayName = value;
        }

        /// <summary>How far NPCs overhear what it says, and what it is answered, m.</summary>
        public float Audible
        {
            get => audible;
            set => audible = value;
        }

        /// <summary>The player under this component; null before it was first enabled.</summary>
        public Player Player => _player;

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
                Speaker = new Speaker { Kind = SpeakerKind.Player, Id = _player.Id },
                AudibleM = audible > 0 ? audible : (double?)null,
            };
            return _client.World.Say(Array.ConvertAll(npcs, npc => npc.Npc), say);
        }

        internal void TellMotion(double gameTimeS) => _motion.Tell(_player, this, gameTimeS);

        private void OnEnable()
        {
            CallsheetClient client = CallsheetClient.Instance;
            if (client == null)
            {
                return;
            }
            if (_client != client)
            {
                // Play began again without a reload of the scene: this is another world.
                _client = client;
                _player = null;
            }
            if (_player == null && !Add())
            {
                return;
            }
            _motion.Forget();
            TellMotion(_client.GameTimeS);
            _client.World.SetActive(_player, true);
            _client.Register(this);
        }

        private bool Add()
        {
            string id = string.IsNullOrEmpty(playerId) ? Ids.From(name, IsTaken) : playerId;
            var spec = new PlayerSpec
            {
                Player = id,
                Name = string.IsNullOrEmpty(displayName) ? Ids.Spoken(name) : displayName,
            };
            try
            {
                _player = _client.World.Add(spec);
                _player.Refused += error => _client.LogRefusal("player", this, error);
                return true;
            }
            catch (Exception bad) when (bad is ArgumentException || bad is CallsheetException)
            {
                Debug.LogError("[Callsheet] player '" + name + "' is not in the world: " + bad.Message, this);
                return false;
            }
        }

        private void Replace()
        {
            bool isHere = isActiveAndEnabled;
            if (isHere)
            {
                OnDisable();
            }
            Leave();
            _player = null;
            if (isHere)
            {
                OnEnable();
            }
        }

        private bool IsTaken(string id)
        {
            foreach (Player player in _client.World.Players)
            {
                if (player.Id == id)
                {
                    return true;
                }
            }
            return false;
        }

        private void OnDisable()
        {
            if (_client != null && _player != null)
            {
                _client.Unregister(this);
                _client.World.SetActive(_player, false);
            }
        }

        private void OnDestroy() => Leave();

        private void Leave()
        {
            if (_client != null && _player != null)
            {
                _client.World.Remove(_player);
            }
        }
    }
}
