using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;

namespace UnityEngine
{
    /// <summary>
    /// Plays Unity's part: which message each component gets, and when (Manual, "Order of execution for
    /// event functions"). Not part of Unity's API.
    /// </summary>
    public static class PlayerLoop
    {
        private const BindingFlags Instance = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly;
        private const BindingFlags Static = BindingFlags.Static | BindingFlags.Public | BindingFlags.NonPublic;

        private static readonly List<GameObject> Objects = new List<GameObject>();
        private static readonly HashSet<GameObject> Kept = new HashSet<GameObject>();
        private static readonly HashSet<Behaviour> Awoken = new HashSet<Behaviour>();
        private static readonly HashSet<Behaviour> On = new HashSet<Behaviour>();
        private static readonly HashSet<Behaviour> Started = new HashSet<Behaviour>();
        private static readonly List<Object> Doomed = new List<Object>();

        /// <summary>The scene is edited: objects come and go, and nobody awakes.</summary>
        public static void EnterEditMode() => Application.isPlaying = false;

        /// <summary>Enters play mode: statics of the package are as an earlier play session left them, unless the domain is reloaded.</summary>
        public static void EnterPlayMode(params Assembly[] package)
        {
            Application.isPlaying = true;
            foreach (Assembly assembly in package)
            {
                foreach (MethodInfo method in assembly.GetTypes().SelectMany(t => t.GetMethods(Static)))
                {
                    if (Attribute.IsDefined(method, typeof(RuntimeInitializeOnLoadMethodAttribute)))
                    {
                        method.Invoke(null, null);
                    }
                }
            }
        }

        /// <summary>One frame: Start, Update, LateUpdate, then the destruction of what was doomed.</summary>
        public static void Frame(double seconds = 1.0 / 60)
        {
            Time.Advance(seconds);
            foreach (Behaviour behaviour in Ordered())
            {
                if (On.Contains(behaviour) && Started.Add(behaviour))
                {
                    Send(behaviour, "Start");
                }
            }
            SendAll("Update");
            Coroutine.StepAll();
            SendAll("LateUpdate");
            DestroyDoomed();
        }

        /// <summary>Another scene: everything is destroyed but what is kept.</summary>
        public static void LoadScene()
        {
            foreach (GameObject gone in Objects.Where(o => !Kept.Contains(o)).ToList())
            {
                Destroy(gone);
            }
            DestroyDoomed();
        }

        /// <summary>Scripts were recompiled while playing: what is not serialized is lost, statics included.</summary>
        public static void ReloadDomain(params Assembly[] package)
        {
            List<Behaviour> alive = Ordered().Where(On.Contains).ToList();
            foreach (Behaviour behaviour in alive)
            {
                Send(behaviour, "OnDisable");
            }
            foreach (Behaviour behaviour in alive)
            {
                Forget(behaviour);
            }
            foreach (FieldInfo field in package.SelectMany(a => a.GetTypes()).SelectMany(t => t.GetFields(Static)))
            {
                if (!field.IsLiteral && !field.IsInitOnly && !field.DeclaringType.IsGenericTypeDefinition && !field.FieldType.IsSubclassOf(typeof(Delegate)))
                {
                    field.SetValue(null, field.FieldType.IsValueType ? Activator.CreateInstance(field.FieldType) : null);
                }
            }
            foreach (Behaviour behaviour in alive)
            {
                Send(behaviour, "OnEnable");
            }
        }

        /// <summary>The application quits, or play mode is left.</summary>
        public static void Quit()
        {
            foreach (Behaviour behaviour in Ordered().Where(Awoken.Contains))
            {
                Send(behaviour, "OnApplicationQuit");
            }
            foreach (GameObject gone in Objects.ToList())
            {
                Destroy(gone);
            }
            DestroyDoomed();
            Coroutine.StopAll();
            Kept.Clear();
            Awoken.Clear();
            On.Clear();
            Started.Clear();
        }

        /// <summary>
        /// Play mode is left without a reload of the scene: its objects keep what their fields hold, those
        /// made while it played and kept are destroyed.
        /// </summary>
        public static void LeavePlayMode()
        {
            foreach (Behaviour behaviour in Ordered().Where(Awoken.Contains))
            {
                Send(behaviour, "OnApplicationQuit");
            }
            foreach (Behaviour behaviour in Ordered().Where(On.Contains))
            {
                Send(behaviour, "OnDisable");
            }
            On.Clear();
            Awoken.Clear();
            Started.Clear();
            foreach (GameObject kept in Kept.ToList())
            {
                Destroy(kept);
            }
            DestroyDoomed();
        }

        /// <summary>Play mode is entered again without a reload of the scene: its objects awake anew.</summary>
        public static void Enable(params Behaviour[] behaviours)
        {
            foreach (Behaviour behaviour in behaviours)
            {
                Refresh(behaviour);
            }
        }

        internal static void Add(GameObject added) => Objects.Add(added);

        internal static void Keep(GameObject kept) => Kept.Add(kept);

        internal static T Find<T>()
            where T : Object => Objects.Where(o => o.activeSelf).SelectMany(o => o.Components).OfType<T>().FirstOrDefault();

        internal static T[] All<T>() => Objects.SelectMany(o => o.Components).OfType<T>().ToArray();

        internal static Component AddComponent(GameObject to, Type type)
        {
            var component = (Component)Activator.CreateInstance(type);
            component.gameObject = to;
            to.Components.Add(component);
            var behaviour = component as Behaviour;
            if (behaviour != null)
            {
                Refresh(behaviour);
            }
            return component;
        }

        /// <summary>A copy of an object, or of that of a component, with what is serialized; those below it are left out.</summary>
        internal static Object Copy(Object original)
        {
            GameObject from = (original as GameObject) ?? ((Component)original).gameObject;
            var copy = new GameObject(from.name + "(Clone)");
            copy.transform.position = from.transform.position;
            copy.SetActive(false);
            foreach (Behaviour behaviour in from.Components.OfType<Behaviour>())
            {
                var twin = (Behaviour)AddComponent(copy, behaviour.GetType());
                foreach (FieldInfo field in Types(behaviour).SelectMany(t => t.GetFields(Instance)).Where(IsSerialized))
                {
                    field.SetValue(twin, field.GetValue(behaviour));
                }
            }
            copy.SetActive(from.activeSelf);
            return original is GameObject ? copy : (Object)copy.Components.Find(c => c.GetType() == original.GetType());
        }

        internal static void Loaded(ScriptableObject asset) => asset.GetType().GetMethod("OnEnable", Instance)?.Invoke(asset, null);

        internal static void ActiveChanged(GameObject changed)
        {
            foreach (Behaviour behaviour in changed.Components.OfType<Behaviour>().ToList())
            {
                Refresh(behaviour);
            }
            if (!changed.activeInHierarchy)
            {
                Coroutine.Stop(changed);
            }
        }

        internal static void EnabledChanged(Behaviour changed) => Refresh(changed);

        internal static void Destroy(Object doomed) => Doomed.Add(doomed);

        private static void DestroyDoomed()
        {
            while (Doomed.Count > 0)
            {
                Object doomed = Doomed[0];
                Doomed.RemoveAt(0);
                var whole = doomed as GameObject;
                IEnumerable<Component> components = whole != null ? whole.Components.ToList() : new List<Component> { (Component)doomed };
                foreach (Component component in components)
                {
                    var behaviour = component as Behaviour;
                    if (behaviour != null && On.Remove(behaviour))
                    {
                        Send(behaviour, "OnDisable");
                    }
                    if (behaviour != null && Awoken.Remove(behaviour))
                    {
                        Send(behaviour, "OnDestroy");
                    }
                    component.Destroyed = true;
                }
                doomed.Destroyed = true;
                if (whole != null || doomed.Destroyed)
                {
                    Coroutine.Stop(whole);
                    Objects.Remove(whole);
                    Kept.Remove(whole);
                }
            }
        }

        private static void Refresh(Behaviour behaviour)
        {
            if (behaviour.gameObject == null || !Application.isPlaying)
            {
                return;
            }
            if (behaviour.gameObject.activeSelf && Awoken.Add(behaviour))
            {
                Send(behaviour, "Awake");
            }
            if (behaviour.isActiveAndEnabled && On.Add(behaviour))
            {
                Send(behaviour, "OnEnable");
            }
            else if (!behaviour.isActiveAndEnabled && On.Remove(behaviour))
            {
                Send(behaviour, "OnDisable");
            }
        }

        private static List<Behaviour> Ordered() =>
            Objects.SelectMany(o => o.Components).OfType<Behaviour>().OrderBy(Order).ToList();

        private static int Order(Behaviour behaviour)
        {
            var order = (DefaultExecutionOrder)Attribute.GetCustomAttribute(behaviour.GetType(), typeof(DefaultExecutionOrder));
            return order == null ? 0 : order.order;
        }

        private static void SendAll(string message)
        {
            foreach (Behaviour behaviour in Ordered())
            {
                if (On.Contains(behaviour))
                {
                    Send(behaviour, message);
                }
            }
        }

        /// <summary>As Unity does, goes on after an exception and logs it.</summary>
        private static void Send(Behaviour behaviour, string message)
        {
            MethodInfo method = Types(behaviour).Select(t => t.GetMethod(message, Instance, null, Type.EmptyTypes, null)).FirstOrDefault(m => m != null);
            try
            {
                method?.Invoke(behaviour, null);
            }
            catch (TargetInvocationException thrown)
            {
                Debug.LogException(thrown.InnerException);
            }
        }

        private static bool IsSerialized(FieldInfo field) => field.IsPublic || Attribute.IsDefined(field, typeof(SerializeField));

        /// <summary>The class of a component and its base classes, those of Unity left out.</summary>
        private static IEnumerable<Type> Types(Behaviour behaviour)
        {
            for (Type type = behaviour.GetType(); type != typeof(MonoBehaviour) && type != typeof(Behaviour); type = type.BaseType)
            {
                yield return type;
            }
        }

        private static void Forget(Behaviour behaviour)
        {
            object fresh = Activator.CreateInstance(behaviour.GetType());
            foreach (FieldInfo field in Types(behaviour).SelectMany(t => t.GetFields(Instance)))
            {
                if (!IsSerialized(field))
                {
                    field.SetValue(behaviour, field.GetValue(fresh));
                }
            }
        }
    }
}
