using System;
using Callsheet.Core;
using Callsheet.Wire;
using UnityEngine;

namespace Callsheet
{
    /// <summary>What NPCs and players have in common: an object that the server is told of, by an id, a name and its movements.</summary>
    public abstract class CallsheetMover : MonoBehaviour
    {
        [Tooltip("What NPCs call it. Empty = the name of the object. (Clone) and a number in brackets at the end are left out.")]
        [SerializeField]
        private string displayName = "";

        [Tooltip("How far NPCs overhear what it says to an NPC, and what it is answered, m. 0 = who is spoken to alone hears it.")]
        [Min(0f)]
        [SerializeField]
        private float audible;

        private Motion _motion;

        internal CallsheetMover()
        {
        }

        /// <summary>The server will not have it, for a fault of its own. The error is in the console too.</summary>
        public event Action<CallsheetError> Refused;

        /// <summary>What NPCs call it, without what Unity appends to names: "Guard(Clone)" and "Guard (1)" are called Guard.</summary>
        public string DisplayName
        {
            get => displayName;
            set
            {
                displayName = value;
                if (Mover != null)
                {
                    TellName();
                }
            }
        }

        /// <summary>How far NPCs overhear what it says to an NPC, and what it is answered, m.</summary>
        public float Audible
        {
            get => audible;
            set => audible = value;
        }

        /// <summary>As it stands in prompts.</summary>
        internal string SpokenName => Ids.Spoken(string.IsNullOrEmpty(displayName) ? name : displayName);

        internal double? AudibleM => audible > 0 ? audible : (double?)null;

        private protected CallsheetClient Client { get; private set; }

        /// <summary>The one in the world under this component; null before it was first enabled.</summary>
        private protected Mover Mover { get; private set; }

        /// <summary>An NPC or a player, in messages.</summary>
        internal abstract string Kind { get; }

        /// <summary>The id of the inspector, or that was set; empty = made from the name of the object.</summary>
        internal abstract string GivenId { get; }

        internal void TellMotion(double gameTimeS) => _motion.Tell(Mover, this, gameTimeS);

        internal abstract bool IsTaken(string id);

        /// <summary>Adds one with this id to the client's world.</summary>
        internal abstract Mover Enter(string id);

        /// <summary>Removes it from the client's world.</summary>
        internal abstract void Leave();

        /// <summary>The object is enabled.</summary>
        internal abstract void Appear();

        /// <summary>The object is disabled.</summary>
        internal abstract void Disappear();

        /// <summary>The name of what is in the world has changed.</summary>
        internal abstract void TellName();

        /// <summary>What becomes of the one that was in the world is no business of this component any more.</summary>
        internal virtual void Detach() => Mover.Refused -= OnRefused;

        /// <summary>Under another id it is another one: the one with the old id leaves the world.</summary>
        private protected void Rename(string id)
        {
            if (Mover != null && Mover.Id != id)
            {
                ComeAnew();
            }
        }

        /// <summary>Leaves the world and enters it again, with what is set now, if it was there.</summary>
        private protected void ComeAnew()
        {
            bool isHere = isActiveAndEnabled;
            if (isHere)
            {
                OnDisable();
            }
            Leave();
            Detach();
            Mover = null;
            if (isHere)
            {
                OnEnable();
            }
        }

        private void OnEnable()
        {
            CallsheetClient client = CallsheetClient.Instance;
            if (client == null)
            {
                return;
            }
            if (Client != client)
            {
                // Play began again without a reload of the scene: this is another world.
                Client = client;
                Mover = null;
            }
            if (Mover == null && !TryEnter())
            {
                return;
            }
            _motion.Forget();
            TellMotion(Client.GameTimeS);
            Client.World.SetActive(Mover, true);
            Appear();
        }

        private bool TryEnter()
        {
            try
            {
                Mover = Enter(string.IsNullOrEmpty(GivenId) ? Ids.From(name, IsTaken) : GivenId);
            }
            catch (Exception bad) when (bad is ArgumentException || bad is CallsheetException)
            {
                Debug.LogError("[Callsheet] " + Kind + " '" + name + "' is not in the world: " + bad.Message, this);
                return false;
            }
            Mover.Refused += OnRefused;
            return true;
        }

        private void OnRefused(CallsheetError error)
        {
            Client.LogRefusal(Kind, this, error);
            Refused?.Invoke(error);
        }

        private void OnDisable()
        {
            if (Client != null && Mover != null)
            {
                Disappear();
                Client.World.SetActive(Mover, false);
            }
        }

        private void OnDestroy()
        {
            if (Client != null && Mover != null)
            {
                Leave();
            }
        }
    }
}
