using System;
using System.Collections.Generic;
using System.Threading;
using Callsheet.Core;
using Callsheet.Wire;
using UnityEngine;

namespace Callsheet
{
    /// <summary>
    /// The connection to the server. One lives through all scenes; NPCs and players find it, and make it
    /// if there is none, so that no scene needs to hold it.
    ///
    /// Everything happens on the main thread: messages are handled in <c>Update</c>, positions go out in
    /// <c>LateUpdate</c>. Without a server the game runs on, and the client keeps trying.
    /// </summary>
    [DefaultExecutionOrder(-1000)]
    [DisallowMultipleComponent]
    [AddComponentMenu("Callsheet/Callsheet Client")]
    public sealed class CallsheetClient : MonoBehaviour
    {
        private const double GoodbyeS = 0.25;
        private const double MaxGameTimeS = 1e12;
        private const string Prefix = "[Callsheet] ";

        private static CallsheetClient _instance;
        private static bool _quitting;

        [Tooltip("Leave empty to use the project's settings (Project Settings > Callsheet).")]
        [SerializeField]
        private CallsheetSettings settings;

        private readonly List<CallsheetNpc> _npcs = new List<CallsheetNpc>();
        private readonly List<CallsheetNpc> _newcomers = new List<CallsheetNpc>();
        private readonly List<CallsheetPlayer> _players = new List<CallsheetPlayer>();

        /// <summary>Players in the order in which they first came, those who are disabled meanwhile too.</summary>
        private readonly List<CallsheetPlayer> _arrivals = new List<CallsheetPlayer>();
        private readonly List<KeyValuePair<Reply, CancellationToken>> _cancellable = new List<KeyValuePair<Reply, CancellationToken>>();
        private readonly HashSet<string> _logged = new HashSet<string>();
        private SessionOptions _options;
        private Session _session;
        private GameWorld _world;
        private long? _refusedRequest;
        private double _loadedAheadS;

        /// <summary>Old state, new state.</summary>
        public event Action<SessionState, SessionState> StateChanged;

        /// <summary>Every error, with its code; what matters is in the console as well.</summary>
        public event Action<CallsheetError> ErrorRaised;

        /// <summary>The client of this game; made if there is none. Null while the game quits.</summary>
        public static CallsheetClient Instance
        {
            get
            {
                if (_instance == null && !_quitting)
                {
                    _instance = FindExisting();
                    if (_instance == null)
                    {
                        _instance = new GameObject("Callsheet").AddComponent<CallsheetClient>();
                    }
                }
                return _instance;
            }
        }

        /// <summary>True if a client exists; does not make one.</summary>
        public static bool Exists => _instance != null;

        /// <summary>
        /// The game's own clock, s: it may stand still, jump ahead and go back. Null: Time.time, which goes on
        /// from the save's time after a load. A <see cref="CallsheetGameClock"/> in the scene sets it.
        /// </summary>
        public static Func<double> GameClock { get; set; }

        /// <summary>Makes the transport of a connection; replaced by tests.</summary>
        internal static Func<ITransport> TransportFactory { get; set; } = DefaultTransport;

        /// <summary>The state of the connection.</summary>
        public SessionState State => _session == null ? SessionState.Stopped : _session.State;

        /// <summary>The session under this component, for what the components do not offer.</summary>
        public Session Session => _session;

        /// <summary>The NPCs and players the server knows or is going to know.</summary>
        public GameWorld World => _world;

        /// <summary>What the game's clock says, s.</summary>
        public double GameTimeS => GameClock != null ? GameClock() : Time.timeAsDouble + _loadedAheadS;

        /// <summary>The components in the world, in the order they came.</summary>
        public IReadOnlyList<CallsheetNpc> Npcs => _npcs;

        /// <summary>Of the players who are there the one who came first: who speaks if no speaker is named. Null if there is none.</summary>
        public CallsheetPlayer LocalPlayer => _arrivals.Find(IsHere);

        /// <summary>The settings in use.</summary>
        public CallsheetSettings Settings => settings;

        /// <summary>Tries again after the server refused (see the console for why it did).</summary>
        public void Reconnect()
        {
            _logged.Clear();
            _session.Start();
        }

        /// <summary>Leaves the server in use and connects to another one, such as one that the game has started itself.</summary>
        public void ConnectTo(string serverUrl, string token)
        {
            _session.Abort();
            _options.Url = serverUrl;
            _options.Token = token;
            Reconnect();
        }

        internal void Register(CallsheetNpc npc)
        {
            _npcs.Add(npc);
            _newcomers.Add(npc);
        }

        internal void Unregister(CallsheetNpc npc)
        {
            _npcs.Remove(npc);
            _newcomers.Remove(npc);
        }

        internal void Register(CallsheetPlayer player)
        {
            _players.Add(player);
            _arrivals.RemoveAll(gone => gone == null);
            if (!_arrivals.Contains(player))
            {
                _arrivals.Add(player);
            }
        }

        internal void Unregister(CallsheetPlayer player) => _players.Remove(player);

        /// <summary>Tokens are looked at once a frame: they may be cancelled on any thread, replies on this one only.</summary>
        internal void CancelWith(Reply reply, CancellationToken token) => _cancellable.Add(new KeyValuePair<Reply, CancellationToken>(reply, token));

        /// <summary>Tells whom the server refused, with the object to click on.</summary>
        internal void LogRefusal(string what, MonoBehaviour who, CallsheetError error)
        {
            _refusedRequest = error.RequestId;
            Debug.LogError(Prefix + what + " '" + who.name + "' is not in the world: " + error
                + (error.Field == null ? "" : " (" + error.Field + ": " + error.Value + ")"), who);
        }

        /// <summary>With domain reload switched off, statics outlive a play session.</summary>
        [RuntimeInitializeOnLoadMethod(RuntimeInitializeLoadType.SubsystemRegistration)]
        private static void ResetStatics()
        {
            _instance = null;
            _quitting = false;
            TransportFactory = DefaultTransport;
            GameClock = null;
            ActionTable.Reset();
            NpcActions.Reset();
        }

        private static bool IsHere(CallsheetPlayer player) => player != null && player.isActiveAndEnabled && player.Player != null;

        private static ITransport DefaultTransport()
        {
#if UNITY_WEBGL && !UNITY_EDITOR
            return new WebGLTransport();
#else
            return new WebSocketTransport();
#endif
        }

        private static CallsheetClient FindExisting()
        {
#if UNITY_2023_1_OR_NEWER
            return FindAnyObjectByType<CallsheetClient>();
#else
            return FindObjectOfType<CallsheetClient>();
#endif
        }

        private void OnEnable()
        {
            if (_instance != null && _instance != this)
            {
                // A scene with a client of its own was loaded again; the first one stays.
                Destroy(this);
                return;
            }
            if (transform.childCount > 0 || GetComponents<Component>().Length > 2)
            {
                MoveToOwnObject();
                return;
            }
            _instance = this;
            transform.SetParent(null);
            DontDestroyOnLoad(gameObject);
            if (_session == null)
            {
                settings = settings != null ? settings : CallsheetSettings.Load();
                CreateSession();
            }
            if (!CallsheetServerProcess.IsComing)
            {
                _session.Start();
            }
        }

        /// <summary>What else is on this object, or below it, belongs to its scene: the client alone outlives that.</summary>
        private void MoveToOwnObject()
        {
            _instance = null;
            var own = new GameObject("Callsheet");
            own.SetActive(false);
            own.AddComponent<CallsheetClient>().settings = settings;
            own.SetActive(true);
            Destroy(this);
        }

        private void CreateSession()
        {
            try
            {
                _options = settings.ToSessionOptions();
                _session = new Session(_options, () => TransportFactory());
            }
            catch (ArgumentException bad)
            {
                Debug.LogError(Prefix + "the settings cannot be used, the defaults are: " + bad.Message, settings);
                _options = new SessionOptions();
                _session = new Session(_options, () => TransportFactory());
            }
            _world = new GameWorld(_session, settings.ToWorldOptions());
            _world.Noted += note => LogOnce(note, "");
            _world.Loaded += timeS => _loadedAheadS = timeS - Time.timeAsDouble;
            _session.StateChanged += OnStateChanged;
            _session.ErrorRaised += OnErrorRaised;
            _session.VersionWarning += text => Debug.LogWarning(Prefix + text, this);
            _session.HandlerThrew += thrown => Debug.LogException(thrown, this);
        }

        private void Update()
        {
            for (int i = _cancellable.Count - 1; i >= 0; i--)
            {
                if (_cancellable[i].Value.IsCancellationRequested)
                {
                    _cancellable[i].Key.Cancel();
                }
                if (_cancellable[i].Value.IsCancellationRequested || _cancellable[i].Key.IsComplete)
                {
                    _cancellable.RemoveAt(i);
                }
            }
            _session?.Tick(Time.realtimeSinceStartupAsDouble);
        }

        private void LateUpdate()
        {
            if (_world == null)
            {
                return;
            }
            // Not as they are enabled: the other components of their objects are to be awake.
            _newcomers.ForEach(npc => npc.TellActions());
            _newcomers.Clear();
            double now = Time.realtimeSinceStartupAsDouble;
            double gameTime = GameTimeS;
            if (!(gameTime >= 0 && gameTime <= MaxGameTimeS))
            {
                LogOnce("the game's clock says " + gameTime + " s, which is not from 0 to 1e12: no tick is sent until it does", "");
                return;
            }
            if (_world.IsTickDue(now))
            {
                for (int i = 0; i < _npcs.Count; i++)
                {
                    _npcs[i].TellMotion(gameTime);
                }
                for (int i = 0; i < _players.Count; i++)
                {
                    _players[i].TellMotion(gameTime);
                }
            }
            _world.Tick(now, gameTime);
        }

        private void OnDisable()
        {
            if (_instance == this)
            {
                SayGoodbye();
            }
        }

        private void OnDestroy()
        {
            if (_instance == this)
            {
                _instance = null;
            }
        }

        private void OnApplicationQuit()
        {
            _quitting = true;
            SayGoodbye();
        }

        /// <summary>Ends the session so that the server forgets this world at once, and play can start again.</summary>
        private void SayGoodbye()
        {
            if (_session == null)
            {
                return;
            }
            _session.Stop();
#if !UNITY_WEBGL || UNITY_EDITOR
            double start = Time.realtimeSinceStartupAsDouble;
            for (double now = start; _session.State == SessionState.Closing && now - start < GoodbyeS; now = Time.realtimeSinceStartupAsDouble)
            {
                _session.Tick(now);
                Thread.Sleep(2);
            }
#endif
            // No socket outlives play mode. (A browser has sent the goodbye already, and cannot wait.)
            _session.Abort();
        }

        private void OnStateChanged(SessionState old, SessionState state)
        {
            if (state == SessionState.Open)
            {
                _logged.Clear();
                if (settings.Verbose)
                {
                    Debug.Log(Prefix + "connected to " + settings.ServerUrl + ", world '" + settings.World + "'", this);
                }
            }
            StateChanged?.Invoke(old, state);
        }

        private void OnErrorRaised(CallsheetError error)
        {
            if (error.Code == ErrorCode.ConnectionFailed)
            {
                LogOnce("no server at " + settings.ServerUrl + ". Start it with: " + StartCommand.For(settings.ServerUrl)
                    + "   The game runs on; the client keeps trying.", error.Message);
            }
            else if (error.Code == ErrorCode.WorldTaken)
            {
                LogOnce("another game holds the world '" + settings.World + "' on " + settings.ServerUrl
                    + ". Stop it or choose another world in Project Settings > Callsheet, then call CallsheetClient.Instance.Reconnect()."
                    + " If that game crashed, the server frees the world after a minute.", error.Message);
            }
            else if (error.RequestId == null || error.RequestId != _refusedRequest)
            {
                LogOnce(error.ToString(), "");
            }
            ErrorRaised?.Invoke(error);
        }

        /// <summary>One line for one problem, until the session is open again.</summary>
        private void LogOnce(string what, string why)
        {
            if (_logged.Add(what))
            {
                Debug.LogWarning(Prefix + what + (why.Length > 0 ? "\n" + why : ""), this);
            }
        }
    }
}
