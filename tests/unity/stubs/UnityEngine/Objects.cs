using System;
using System.Collections;
using System.Collections.Generic;

namespace UnityEngine
{
    public class Object
    {
        internal bool Destroyed;
        private string _name = "";

        public string name
        {
            get => Named._name;
            set => Named._name = value;
        }

        /// <summary>Whose name it bears: a component has that of its object.</summary>
        internal virtual Object Named => this;

        public static implicit operator bool(Object exists) => !Object.ReferenceEquals(exists, null) && !exists.Destroyed;

        public static bool operator ==(Object x, Object y) => Same(x, y);

        public static bool operator !=(Object x, Object y) => !Same(x, y);

        public override bool Equals(object other) => ReferenceEquals(this, other);

        public override int GetHashCode() => base.GetHashCode();

        public override string ToString() => name;

        public static void Destroy(Object obj) => PlayerLoop.Destroy(obj);

        public static void DontDestroyOnLoad(Object target) => PlayerLoop.Keep((target as GameObject) ?? ((Component)target).gameObject);

        public static T Instantiate<T>(T original)
            where T : Object => (T)PlayerLoop.Copy(original);

        public static T FindObjectOfType<T>()
            where T : Object => PlayerLoop.Find<T>();

        public static T FindAnyObjectByType<T>()
            where T : Object => PlayerLoop.Find<T>();

        private static bool Same(Object x, Object y)
        {
            bool noX = ReferenceEquals(x, null) || x.Destroyed, noY = ReferenceEquals(y, null) || y.Destroyed;
            return noX || noY ? noX && noY : ReferenceEquals(x, y);
        }
    }

    public sealed class GameObject : Object
    {
        internal readonly List<Component> Components = new List<Component>();

        public GameObject()
            : this("New Game Object")
        {
        }

        public GameObject(string name)
        {
            this.name = name;
            transform = new Transform { gameObject = this };
            Components.Add(transform);
            PlayerLoop.Add(this);
        }

        public Transform transform { get; }

        public bool activeSelf { get; private set; } = true;

        public bool activeInHierarchy => activeSelf;

        public SceneManagement.Scene scene { get; } = SceneManagement.SceneManager.GetActiveScene();

        public void SetActive(bool value)
        {
            if (activeSelf != value)
            {
                activeSelf = value;
                PlayerLoop.ActiveChanged(this);
            }
        }

        public T AddComponent<T>()
            where T : Component => (T)PlayerLoop.AddComponent(this, typeof(T));

        public T GetComponent<T>() => (T)(object)Components.Find(c => c is T);

        public T[] GetComponents<T>() => Components.FindAll(c => c is T).ConvertAll(c => (T)(object)c).ToArray();

        public static GameObject CreatePrimitive(PrimitiveType type) => new GameObject(type.ToString());
    }

    public enum PrimitiveType
    {
        Sphere,
        Capsule,
        Cylinder,
        Cube,
        Plane,
        Quad,
    }

    public class Component : Object
    {
        public GameObject gameObject { get; internal set; }

        public Transform transform => gameObject.transform;

        internal override Object Named => gameObject;

        public T GetComponent<T>() => gameObject.GetComponent<T>();

        public T[] GetComponents<T>() => gameObject.GetComponents<T>();
    }

    public class Transform : Component, IEnumerable
    {
        private readonly List<Transform> _children = new List<Transform>();
        private Transform _parent;

        protected internal Transform()
        {
        }

        public Vector3 position { get; set; }

        public int childCount => _children.Count;

        public Vector3 localScale { get; set; }

        public Transform parent
        {
            get => _parent;
            set
            {
                _parent?._children.Remove(this);
                _parent = value;
                _parent?._children.Add(this);
            }
        }

        public void SetParent(Transform p) => parent = p;

        public void LookAt(Vector3 worldPosition)
        {
        }

        public IEnumerator GetEnumerator() => _children.GetEnumerator();
    }

    public class Behaviour : Component
    {
        private bool _enabled = true;

        public bool enabled
        {
            get => _enabled;
            set
            {
                _enabled = value;
                PlayerLoop.EnabledChanged(this);
            }
        }

        public bool isActiveAndEnabled => _enabled && gameObject.activeInHierarchy;
    }

    public class MonoBehaviour : Behaviour
    {
        public Coroutine StartCoroutine(IEnumerator routine) => Coroutine.Start(this, routine);
    }

    public class TextAsset : Object
    {
        public TextAsset(string text)
        {
            this.text = text;
        }

        public string text { get; }
    }

    public class ScriptableObject : Object
    {
        public static T CreateInstance<T>()
            where T : ScriptableObject
        {
            var created = (T)Activator.CreateInstance(typeof(T));
            PlayerLoop.Loaded(created);
            return created;
        }
    }
}
