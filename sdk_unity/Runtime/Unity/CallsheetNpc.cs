using System;
using Callsheet.Core;
using Callsheet.Wire;
using UnityEngine;

namespace Callsheet
{
    /// <summary>An NPC: put it on any object, write who it is, and talk to it with <see cref="Say(string)"/>.</summary>
    [DisallowMultipleComponent]
    [AddComponentMenu("Callsheet/Callsheet NPC")]
    public sealed partial class CallsheetNpc : MonoBehaviour
    {
        [Tooltip("Unique among NPCs; what it remembers is kept under it. In a scene it is made by itself; empty in what is instantiated = the name of the object, with a number if it is taken.")]
        [SerializeField]
        private string npcId = "";

        [Tooltip("What others call it. Empty = the name of the object, without (Clone) and numbers in brackets.")]
        [SerializeField]
        private string displayName = "";

        [Tooltip("Who it is, in the second person: \"You are Bob, a grumpy baker...\". At most 16,000 characters; the shorter, the faster.")]
        [TextArea(4, 20)]
        [SerializeField]
        private string persona = "";

        [Tooltip("A label that scripts can bind to, such as guard. Optional.")]
        [SerializeField]
        private string archetype = "";

        [Tooltip("A LoRA adapter the server knows. Optional.")]
        [SerializeField]
        private string adapter = "";

        [Tooltip("How near a player comes before a talk can start, m.")]
        [Min(0f)]
        [SerializeField]
        private float interactionRadius = 3f;

        [Tooltip("0 = never talks to other NPCs, 1 = with everyone in reach.")]
        [Range(0f, 1f)]
        [SerializeField]
        private float sociability;

        [Tooltip("Facts it knows, besides those of its archetype (Project Settings > Callsheet): \"Ann owes you three coins.\"")]
        [SerializeField]
        private string[] knowledge = new string[0];

        [Tooltip("How far other NPCs overhear what it says to an NPC, and what it is answered, m. 0 = who is spoken to alone hears it.")]
        [Min(0f)]
        [SerializeField]
        private float audible;

        [Tooltip("Times of game time at which it will need the model, whoever is near.")]
        [SerializeField]
        private ScheduleEntry[] schedule = new ScheduleEntry[0];

        [SerializeField]
        private NpcEvents events = new NpcEvents();

        private NpcActions _actions;
        private CallsheetClient _client;
        private Npc _npc;
        private Motion _motion;
        private string _toldActions = "";

        /// <summary>It begins to answer somebody.</summary>
        public event Action<Reply> ReplyStarted;

        /// <summary>More of a reply's text came; the second argument is what was added.</summary>
        public event Action<Reply, string> TextAdded;

        /// <summary>A reply ended or failed.</summary>
        public event Action<Reply> ReplyCompleted;

        /// <summary>The server will not have it, for a fault of its own. The error is in the console too.</summary>
        public event Action<CallsheetError> Refused;

        /// <summary>It wants to act, and no [CallsheetAction] method on this object does it. Call <see cref="NpcAction.Complete"/>.</summary>
        public event Action<NpcAction> Acted;

        /// <summary>Under another id it is another NPC: the one with the old id leaves the world.</summary>
        public string NpcId
        {
            get => _npc != null ? _npc.Id : npcId;
            set
            {
                npcId = value;
                if (_npc != null && _npc.Id != value)
                {
                    Replace();
                }
            }
        }

        public string DisplayName
        {
            get => displayName;
            set
            {
                displayName = value;
                _npc?.Update(new UpdateNpcMessage { Name = value });
            }
        }

        /// <summary>Who it is. A change while it is in the world reaches the server at once.</summary>
        public string Persona
        {
            get => persona;
            set
            {
                persona = value;
                _npc?.Update(new UpdateNpcMessage { Persona = value });
            }
        }

        public string Archetype
        {
            get => archetype;
            set => archetype = value;
        }

        public float InteractionRadius
        {
            get => interactionRadius;
            set
            {
                interactionRadius = value;
                _npc?.Update(new UpdateNpcMessage { InteractionRadiusM = value });
            }
        }

        public float Sociability
        {
            get => sociability;
            set
            {
                sociability = value;
                _npc?.Update(new UpdateNpcMessage { Sociability = value });
            }
        }

        /// <summary>How far other NPCs overhear what it says to an NPC, and what it is answered, m.</summary>
        public float Audible
        {
            get => audible;
            set => audible = value;
        }

        public NpcEvents Events => events;

        /// <summary>The NPC under this component; null before it was first enabled.</summary>
        public Npc Npc => _npc;

        /// <summary>What its [CallsheetAction] methods can do, and those under way.</summary>
        internal NpcActions Actions => _actions ?? (_actions = new NpcActions(this));

        internal void TellMotion(double gameTimeS) => _motion.Tell(_npc, this, gameTimeS);

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
                _npc = null;
            }
            if (_npc == null && !Add())
            {
                return;
            }
            _motion.Forget();
            TellMotion(_client.GameTimeS);
            _client.World.SetActive(_npc, true);
            _client.Register(this);
        }

        private bool Add()
        {
            var spec = new NpcSpec
            {
                Npc = string.IsNullOrEmpty(npcId) ? Ids.From(name, id => _client.World.FindNpc(id) != null) : npcId,
                Name = string.IsNullOrEmpty(displayName) ? Ids.Spoken(name) : displayName,
                Persona = persona ?? "",
                Archetype = string.IsNullOrEmpty(archetype) ? null : archetype,
                Adapter = string.IsNullOrEmpty(adapter) ? null : adapter,
                InteractionRadiusM = interactionRadius,
                Sociability = sociability,
                Schedule = Array.ConvertAll(schedule, entry => entry.ToWire()),
                Knowledge = AllKnowledge().Length > 0 ? AllKnowledge() : null,
            };
            try
            {
                _npc = _client.World.Add(spec);
            }
            catch (Exception bad) when (bad is ArgumentException || bad is CallsheetException)
            {
                Debug.LogError("[Callsheet] NPC '" + name + "' is not in the world: " + bad.Message, this);
                return false;
            }
            _toldActions = "";
            _npc.Refused += OnRefused;
            _npc.ReplyStarted += OnReplyStarted;
            _npc.TextAdded += OnTextAdded;
            _npc.ReplyCompleted += OnReplyCompleted;
            _npc.Acted += OnActed;
            return true;
        }

        private void Replace()
        {
            bool isHere = isActiveAndEnabled;
            if (isHere)
            {
                OnDisable();
            }
            Leave();
            _npc.Refused -= OnRefused;
            _npc.ReplyStarted -= OnReplyStarted;
            _npc.TextAdded -= OnTextAdded;
            _npc.ReplyCompleted -= OnReplyCompleted;
            _npc.Acted -= OnActed;
            _npc = null;
            if (isHere)
            {
                OnEnable();
            }
        }

        private Npc Need() => _npc ?? throw new InvalidOperationException(
            "NPC '" + name + "' is not in the world: enable its object first, and see the console for errors");

        private void OnRefused(CallsheetError error)
        {
            _client.LogRefusal("NPC", this, error);
            Refused?.Invoke(error);
        }

        private void OnReplyStarted(Reply reply)
        {
            ReplyStarted?.Invoke(reply);
            events.replyStarted.Invoke();
        }

        private void OnTextAdded(Reply reply, string added)
        {
            TextAdded?.Invoke(reply, added);
            events.textChanged.Invoke(reply.Text);
        }

        private void OnReplyCompleted(Reply reply)
        {
            ReplyCompleted?.Invoke(reply);
            if (reply.State == ReplyState.Failed)
            {
                events.replyFailed.Invoke(reply.Error.ToString());
            }
            else
            {
                events.replyEnded.Invoke(reply.Text);
            }
        }

        private void OnActed(NpcAction action)
        {
            if (Actions.TryRun(action))
            {
                return;
            }
            bool heard = Acted != null || events.acted.HasListeners;
            Acted?.Invoke(action);
            events.acted.Invoke(action);
            if (!heard && !action.IsComplete)
            {
                Actions.Refuse(action);
            }
        }

        private void OnDisable()
        {
            if (_client != null && _npc != null)
            {
                _client.Unregister(this);
                _client.World.SetActive(_npc, false);
            }
            Actions.FailRunning(name + " was disabled before it was done");
        }

        private void OnDestroy() => Leave();

        private void Leave()
        {
            if (_client != null && _npc != null)
            {
                _client.World.Remove(_npc);
            }
        }

        /// <summary>While the game plays, every NPC shows its state; a scene that is edited is not covered with spheres.</summary>
        private void OnDrawGizmos()
        {
            if (_npc != null)
            {
                DrawRadius();
            }
        }

        private void OnDrawGizmosSelected() => DrawRadius();

        private void DrawRadius()
        {
            Gizmos.color = NpcColors.Of(_npc == null ? null : _npc.LastState);
            Gizmos.DrawWireSphere(transform.position, interactionRadius);
        }
    }
}
